// SPDX-License-Identifier: MIT
// The files that the paper's model comes in, as one table of tensors.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/training/checkpoint/checkpoint.h"

namespace talkface::checkpoint {

struct FoundTensor {
  std::shared_ptr<const Checkpoint> file;
  const StoredTensor* tensor;
};

// Every tensor by its official name, Audio2AU and mask generator behind their prefixes; what is
// under a name but no tensor is in `others`, by what it is.
struct FoundTensors {
  std::map<std::string, FoundTensor> tensors;
  std::map<std::string, std::string> others;
};

// Recognises each file by its tensors' names. `audio2au` as in MftfgFiles. Throws as ReadMftfg
// does.
FoundTensors ReadParts(const std::vector<std::string>& files,
                       const std::map<int, std::string>& audio2au);

}  // namespace talkface::checkpoint
