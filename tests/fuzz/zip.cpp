// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/zip_reader.h"
#include "tests/fuzz/support.h"

using namespace talkface;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  test::ReadOrRefuse([&] {
    uint64_t total = 0;
    for (const auto& [name, entry] : checkpoint::ReadZip("input", test::Input(data, size))) {
      total += entry.data.size();
      checkpoint::HasRightChecksum(entry);
    }
    test::Require(total <= size, "entries together are never larger than the file");
  });
  return 0;
}
