// SPDX-License-Identifier: MIT
#include "models/core/pack.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/units/support/expect_error.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface {
namespace {

using nlohmann::json;

json Manifest() {
  return json::parse(R"({"schema":1,"name":"p","family":"fake","version":"1","licence":"MIT",
    "timing":{"sample_rate_hz":16000,"hop_samples":320,"look_behind_ms":0,"look_ahead_min_ms":0,
              "look_ahead_default_ms":200,"look_ahead_max_ms":400},"fake":{"delay_ms":3}})");
}

void Write(const test::TemporaryFolder& folder, const json& manifest) {
  folder.Write("p/manifest.json", manifest.dump());
}

TEST(Pack, IsFoundByNameAndByFolder) {
  const test::TemporaryFolder folder;
  Write(folder, Manifest());
  EXPECT_EQ(Pack::Open("p", folder.path())->folder(), folder / "p");
  const auto pack = Pack::Open(folder / "p", "");
  EXPECT_EQ(pack->family(), "fake");
  EXPECT_EQ(pack->timing().look_ahead_default_ms, 200u);
  EXPECT_EQ(pack->settings().at("delay_ms"), 3);
  EXPECT_ERROR(Pack::Open("nobody", folder.path()), Code::kNotFound, "nobody",
               "TALKFACE_MODEL_PATH");
}

TEST(Pack, EveryWrongFieldIsNamedWithWhatWasWanted) {
  struct Case {
    const char* pointer;
    json value;
    const char *field, *wanted;
  };
  const Case cases[] = {
      {"/schema", 2, "schema is 2", "wanted 1"},
      {"/name", 7, "name is 7", "a text"},
      {"/licence", "", "licence", "a text"},
      {"/timing", "fast", "timing", "an object"},
      {"/timing/sample_rate_hz", 100, "timing.sample_rate_hz is 100", "4000 to 192000"},
      {"/timing/sample_rate_hz", 16000.5, "timing.sample_rate_hz", "4000 to 192000"},
      {"/timing/hop_samples", 1e300, "timing.hop_samples is 1e+300", "1 to 192000"},
      {"/timing/hop_samples", UINT64_MAX, "timing.hop_samples is 18446744073709551615", "1 to"},
      {"/timing/hop_samples", true, "timing.hop_samples is true", "1 to 192000"},
      {"/timing/look_ahead_default_ms", 500, "timing.look_ahead_default_ms is 500", "0 to 400"},
      {"/fake", json::array(), "fake", "an object"},
      {"/files", json::array({json::object()}), "files", "an object"},
      {"/files", 1e300, "files is 1e+300", "an object"},
      {"/files",
       {{"speech", {{"file", "../secret"}, {"sha256", "x"}}}},
       "files.speech.file",
       "inside"},
      {"/files",
       {{"speech", {{"file", "gone.safetensors"}, {"sha256", "x"}}}},
       "gone.safetensors",
       "missing"},
  };
  for (const Case& wrong : cases) {
    const test::TemporaryFolder folder;
    json manifest = Manifest();
    manifest[json::json_pointer(wrong.pointer)] = wrong.value;
    Write(folder, manifest);
    EXPECT_ERROR(Pack::Open("p", folder.path()), Code::kBadPack, wrong.field, wrong.wanted);
  }
}

TEST(Pack, AMissingFieldAndBrokenJsonAreNamed) {
  const test::TemporaryFolder folder;
  json manifest = Manifest();
  manifest.erase("licence");
  Write(folder, manifest);
  EXPECT_ERROR(Pack::Open("p", folder.path()), Code::kBadPack, "licence is missing");
  folder.Write("p/manifest.json", "{\"schema\": 1,");
  EXPECT_ERROR(Pack::Open("p", folder.path()), Code::kBadPack, "manifest.json", "not valid JSON");
  folder.Write("p/manifest.json", "[]");
  EXPECT_ERROR(Pack::Open("p", folder.path()), Code::kBadPack, "manifest.json", "an object");
}

// Which of two values counts would depend on the reader.
TEST(Pack, AFieldThatIsThereTwiceIsNamed) {
  const test::TemporaryFolder folder;
  folder.Write("p/manifest.json", R"({"schema":1,"name":"p","timing":{"a":1,"a":2}})");
  EXPECT_ERROR(Pack::Open("p", folder.path()), Code::kBadPack, "manifest.json", "'a' twice");
}

// JSON's own functions call themselves once a level.
TEST(Pack, DeepNestingIsRefusedBeforeTheStackOverflows) {
  constexpr size_t kLevels = 500'000;
  const test::TemporaryFolder folder;
  const std::string lists = std::string(kLevels, '[') + std::string(kLevels, ']');
  folder.Write("p/manifest.json",
               R"({"schema":1,"name":"p","family":"fake","version":"1","licence":"MIT","fake":)" +
                   lists + "}");
  EXPECT_ERROR(Pack::Open("p", folder.path()), Code::kBadPack, "manifest.json", "nested deeper");
}

TEST(Pack, AHugeValueIsNotRepeatedWhole) {
  const test::TemporaryFolder folder;
  json manifest = Manifest();
  manifest["name"] = std::vector<int>(1000, 7);
  Write(folder, manifest);
  try {
    Pack::Open("p", folder.path());
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), folder.path().size() + 150) << error.what();
  }
}

TEST(Pack, AChangedFileIsRefused) {
  const test::TemporaryFolder folder;
  const float weight = 1;
  json manifest = Manifest();
  Write(folder, manifest);
  WriteSafeTensors(folder / "p/w.safetensors", {{"w", {DType::kF32, {1}, &weight}}}, {});
  manifest["files"] = {{"speech", {{"file", "w.safetensors"}, {"sha256", std::string(64, '0')}}}};
  Write(folder, manifest);
  EXPECT_ERROR(Pack::Open("p", folder.path()), Code::kBadPack, "w.safetensors", "sha256");
}

}  // namespace
}  // namespace talkface
