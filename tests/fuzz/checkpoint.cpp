// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/checkpoint.h"

#include <utility>
#include <vector>

#include "tests/fuzz/stored_tensor.h"
#include "tests/units/support/checkpoint_fixture.h"
#include "tests/units/support/memory_file.h"

using namespace talkface;

namespace {

void ReadAll(const std::string& path) {
  const auto file = checkpoint::Checkpoint::Open(path);
  for (const char* key : {"", "state_dict"}) {
    if (*key != '\0' && !file->HasDict(key)) continue;
    for (const auto& entry : file->Tensors(key).tensors) {
      test::ReadOrRefuse([&] { file->CheckData(*entry.second); });
      test::ReadTensor(*entry.second);
    }
  }
}

// The same entries with right checksums, which chance does not find.
std::string WithChecksums(std::string_view bytes) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [name, entry] : checkpoint::ReadZip("input", bytes))
    entries.emplace_back(name, entry.data);
  return test::Zip(entries);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const test::MemoryFile file;
  const auto read = [](std::string_view bytes) {
    file.Write(bytes);
    test::ReadOrRefuse([] { ReadAll(file.path()); });
  };
  read(test::Input(data, size));
  test::ReadOrRefuse([&] { read(WithChecksums(test::Input(data, size))); });
  return 0;
}
