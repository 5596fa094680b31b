// SPDX-License-Identifier: MIT
#include <map>
#include <string>

#include "models/training/checkpoint/pickle_machine.h"
#include "tests/fuzz/stored_tensor.h"

using namespace talkface;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string storage(24, '\1');
  static const std::map<std::string, checkpoint::ZipEntry> entries = {{"m/data/0", {storage, 0}}};
  test::ReadOrRefuse([&] {
    checkpoint::TorchObjects objects("input", "m/", entries);
    checkpoint::PickleHeap heap;
    checkpoint::RunPickle("input", test::Input(data, size), &objects, &heap);
    for (const checkpoint::StoredTensor& tensor : objects.TakeTensors()) test::ReadTensor(tensor);
  });
  return 0;
}
