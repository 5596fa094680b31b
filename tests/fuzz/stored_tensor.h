// SPDX-License-Identifier: MIT
#pragma once

#include "models/training/checkpoint/torch_objects.h"
#include "tests/fuzz/support.h"

namespace talkface::test {

// Reads a tensor as the writer of a pack does.
inline void ReadTensor(const checkpoint::StoredTensor& tensor) {
  Require(tensor.bytes() <= tensor.entry->data.size(), "a tensor is never larger than its data");
  Counter counter;
  std::ostream out(&counter);
  tensor.WriteTo(out);
  Require(counter.bytes() == tensor.bytes(), "a tensor is written whole");
}

}  // namespace talkface::test
