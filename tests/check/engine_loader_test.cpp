// SPDX-License-Identifier: MIT
// gst/engine_loader.h. Each test is a process of its own (check forks): an engine is never closed.
#include "gst/engine_loader.h"

#include <gst/check/gstcheck.h>

#include <thread>
#include <vector>

#include "tests/check/support.h"

using namespace talkface;
using namespace talkface::test;

namespace {

void UseEngine(const std::string& path) { g_setenv("TALKFACE_ENGINE", path.c_str(), TRUE); }

void AssertRefused(GQuark domain, int code, const std::vector<std::string>& words) {
  GError* error = nullptr;
  fail_unless(LoadEngine(&error) == nullptr);
  fail_unless(error != nullptr);
  fail_unless(g_error_matches(error, domain, code), "%s %d: %s", g_quark_to_string(error->domain),
              error->code, error->message);
  for (const std::string& word : words)
    fail_unless(strstr(error->message, word.c_str()) != nullptr, "no '%s' in: %s", word.c_str(),
                error->message);
  g_error_free(error);
}

}  // namespace

GST_START_TEST(opens_once_from_many_threads) {
  const EngineLibrary* seen[8] = {};
  std::vector<std::thread> threads;
  for (auto& slot : seen) threads.emplace_back([&slot] { slot = LoadEngine(nullptr); });
  for (std::thread& thread : threads) thread.join();
  fail_unless(seen[0] != nullptr);
  for (const EngineLibrary* library : seen) fail_unless(library == seen[0]);
}
GST_END_TEST

GST_START_TEST(the_engine_answers) {
  GError* error = nullptr;
  const EngineLibrary* library = LoadEngine(&error);
  fail_unless(library != nullptr, "%s", error != nullptr ? error->message : "");
  EngineOptions options;
  options.model = "fake";
  Engine* engine = nullptr;
  const Status status = library->open(kEngineAbi, &options, &engine);
  fail_unless(status.ok(), "%s", status.message);
  fail_unless_equals_string(engine->Info().family, "fake");
  engine->Unref();
  engine = nullptr;
  fail_unless(library->open(kEngineAbi + 1, &options, &engine).code == Code::kUnsupported);
  fail_unless(engine == nullptr);
}
GST_END_TEST

GST_START_TEST(a_missing_engine_is_named_and_retried) {
  const std::string engine = g_getenv("TALKFACE_ENGINE");
  UseEngine("/nowhere/libtalkface-engine.so");
  AssertRefused(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                {"/nowhere/libtalkface-engine.so", "TALKFACE_ENGINE"});
  UseEngine(engine);
  fail_unless(LoadEngine(nullptr) != nullptr);
}
GST_END_TEST

GST_START_TEST(without_the_variable_its_places_are_named) {
  g_unsetenv("TALKFACE_ENGINE");
  AssertRefused(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                {"../talkface/libtalkface-engine.so", TALKFACE_ENGINE_DIR, "TALKFACE_ENGINE"});
}
GST_END_TEST

GST_START_TEST(a_file_that_is_no_library_is_refused) {
  TempFolder folder;
  WriteFile(folder.path("libtalkface-engine.so"), "not a library");
  UseEngine(folder.path("libtalkface-engine.so"));
  AssertRefused(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
                {folder.path(), "cannot be loaded"});
}
GST_END_TEST

GST_START_TEST(a_library_that_is_no_engine_is_refused) {
  UseEngine(STRANGER_LIBRARY);
  AssertRefused(GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, {STRANGER_LIBRARY, "not a talkface"});
}
GST_END_TEST

GST_START_TEST(a_library_that_it_lacks_is_named) {
  UseEngine(NEEDY_ENGINE);  // links libtalkface-lacking.so, and finds none
  AssertRefused(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                {NEEDY_ENGINE, "libtalkface-lacking.so", "scripts/setup.sh"});
}
GST_END_TEST

static Suite* engine_loader_suite() {
  Suite* suite = suite_create("engine_loader");
  TCase* chain = tcase_create("all");
  suite_add_tcase(suite, chain);
  tcase_add_test(chain, opens_once_from_many_threads);
  tcase_add_test(chain, the_engine_answers);
  tcase_add_test(chain, a_missing_engine_is_named_and_retried);
  tcase_add_test(chain, without_the_variable_its_places_are_named);
  tcase_add_test(chain, a_file_that_is_no_library_is_refused);
  tcase_add_test(chain, a_library_that_is_no_engine_is_refused);
  tcase_add_test(chain, a_library_that_it_lacks_is_named);
  return suite;
}

GST_CHECK_MAIN(engine_loader)
