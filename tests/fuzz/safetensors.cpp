// SPDX-License-Identifier: MIT
#include "models/core/safetensors.h"

#include "models/training/clips/prepared_clip.h"
#include "tests/fuzz/support.h"
#include "tests/units/support/memory_file.h"

using namespace talkface;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const test::MemoryFile file;
  file.Write(test::Input(data, size));
  test::ReadOrRefuse([&] {
    const auto opened = SafeTensors::Open(file.path());
    for (const auto& [name, tensor] : opened->tensors()) {
      test::Require(tensor.bytes <= size, "a tensor is never larger than the file");
      test::Require(static_cast<uint64_t>(tensor.Count()) * DTypeSize(tensor.dtype) == tensor.bytes,
                    "a tensor has the bytes that its shape needs");
      test::Touch(tensor.data, tensor.bytes);
    }
  });
  test::ReadOrRefuse([] { auwarp::ReadPreparedClip(file.path()); });
  return 0;
}
