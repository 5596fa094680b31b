// SPDX-License-Identifier: MIT
// Compares models/families/mftfg/ with tensors of the original implementation.
//   parity FILE...        each file by the check that knows it
//   parity --check NAME   that check's file in tests/data/parity, and, where TALKFACE_PARITY names
//                         another folder, its files there
// Exit code 0 only if every line is ok.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "models/core/error.h"
#include "tests/units/families/mftfg/parity/checks.h"

namespace talkface::parity {
namespace {

const Check* CheckOf(const SafeTensors& file) {
  for (const Check& check : Checks()) {
    if (file.Has(check.mark)) return &check;
  }
  return nullptr;
}

// The number of BAD lines.
int RunFile(const std::string& path) {
  std::printf("# %s\n", path.c_str());
  try {
    const auto file = SafeTensors::Open(path);
    const Check* check = CheckOf(*file);
    if (check == nullptr) {
      throw Error(Code::kUnsupported, path + ": no check knows a file with such tensors.");
    }
    const torch::NoGradGuard no_gradients;
    Reference reference(file);
    check->run(&reference);
    return reference.Finish();
  } catch (const std::exception& error) {
    std::printf("%s BAD\n", error.what());
    return 1;
  }
}

struct Result {
  int files = 0, bad = 0;
};

// The check's files in a folder.
Result RunFolder(const Check& wanted, const std::string& folder) {
  if (!std::filesystem::is_directory(folder)) {
    throw Error(Code::kInvalid, folder + " is no folder. tests/data/parity is a part of the " +
                                    "repository; TALKFACE_PARITY may name a folder with more.");
  }
  Result result;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    const Check* check = CheckOf(*SafeTensors::Open(entry.path().string()));
    if (check == nullptr || check->run != wanted.run) continue;
    ++result.files;
    result.bad += RunFile(entry.path().string());
  }
  return result;
}

int RunCheck(const std::string& name) {
  const auto check = std::find_if(Checks().begin(), Checks().end(),
                                  [&name](const Check& one) { return name == one.name; });
  if (check == Checks().end()) {
    std::fprintf(stderr, "parity: there is no check %s.\n", name.c_str());
    return 2;
  }
  const Result own = RunFolder(*check, TALKFACE_OWN_PARITY);
  if (own.files == 0) {
    std::printf("%s has no file for the check %s BAD\n", TALKFACE_OWN_PARITY, name.c_str());
  }
  const char* more = std::getenv("TALKFACE_PARITY");
  const Result others = more != nullptr && *more != 0 ? RunFolder(*check, more) : Result();
  return own.files > 0 && own.bad + others.bad == 0 ? 0 : 1;
}

int Main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--check") == 0) return RunCheck(argv[2]);
  if (argc < 2 || argv[1][0] == '-') {
    std::fprintf(stderr, "usage: parity FILE...\n       parity --check NAME\n");
    return 2;
  }
  int bad = 0;
  for (int i = 1; i < argc; ++i) bad += RunFile(argv[i]);
  std::printf("%d BAD\n", bad);
  return bad == 0 ? 0 : 1;
}

}  // namespace
}  // namespace talkface::parity

int main(int argc, char** argv) {
  try {
    return talkface::parity::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "parity: %s\n", error.what());
    return 1;
  }
}
