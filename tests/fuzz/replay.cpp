// SPDX-License-Identifier: MIT
// Stands in for libFuzzer in every build: runs a target on the files of the folders it is given.
#include <filesystem>

#include "tests/fuzz/support.h"
#include "tests/units/support/checkpoint_fixture.h"

int main(int count, char** arguments) {
  size_t inputs = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& file : std::filesystem::directory_iterator(arguments[i])) {
      const std::string path = file.path().string(), bytes = talkface::test::ReadBytes(path);
      std::printf("%s\n", path.c_str());
      std::fflush(stdout);
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
      ++inputs;
    }
  }
  std::printf("%zu inputs read or refused\n", inputs);
  return inputs > 0 ? 0 : 1;
}
