// SPDX-License-Identifier: MIT
// Compares models/mftfg/ with tensors of the original implementation.
//   parity FILE...        each file by the check that knows it
//   parity --check NAME   that check's files in the folder TALKFACE_PARITY (default: see
//                         meson.build), or exit code 77 (skipped) where there is no such folder
// Exit code 0 only if every line is ok.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "models/core/error.h"
#include "tests/engine/parity/checks.h"

namespace talkface::parity {
namespace {

constexpr int kSkipped = 77;  // meson's code

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

int RunFolder(const std::string& name) {
  const char* variable = std::getenv("TALKFACE_PARITY");
  const std::string folder = variable != nullptr ? variable : TALKFACE_DEFAULT_PARITY;
  if (!std::filesystem::is_directory(folder)) {
    std::printf("%s is not there: skipped. TALKFACE_PARITY names the folder of the references.\n",
                folder.c_str());
    return kSkipped;
  }
  int files = 0, bad = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    const Check* check = CheckOf(*SafeTensors::Open(entry.path().string()));
    if (check == nullptr || name != check->name) continue;
    ++files;
    bad += RunFile(entry.path().string());
  }
  if (files == 0) std::printf("no file for the check %s in %s BAD\n", name.c_str(), folder.c_str());
  return files > 0 && bad == 0 ? 0 : 1;
}

int Main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--check") == 0) return RunFolder(argv[2]);
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

int main(int argc, char** argv) { return talkface::parity::Main(argc, argv); }
