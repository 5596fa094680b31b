// SPDX-License-Identifier: MIT
// From the paper's official checkpoints to the tensors of a pack of the family mftfg.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/core/safetensors.h"
#include "models/training/checkpoint/mftfg_keys.h"

namespace talkface::checkpoint {

struct MftfgFiles {
  std::vector<std::string> files;       // any of the parts; an Audio2AU's unit is in its name
  std::map<int, std::string> audio2au;  // action unit -> file whose name does not tell it
  bool raw_weights = false;             // the last ones even where averaged ones (EMA) are there
};

// What a pack is to hold. The sources keep the files open; data are read when they are written.
struct MftfgTensors {
  mftfg::Config sizes;
  bool averaged = false;  // the EMA weights were taken
  bool trained = false;   // attention keys and values were in the file; else they are random
  std::map<std::string, TensorSource> model, audio2au, mask;
  std::vector<std::string> left_out;  // names of tensors that only training uses

  uint64_t bytes() const;
};

// Opens the files, tells which parts they are by their tensors' names, and matches every tensor
// with the model. Throws Error{kNotFound | kBadPack | kInvalid}; one that lists everything that is
// missing, unknown or mis-shaped where the files do not make a whole model.
MftfgTensors ReadMftfg(const MftfgFiles& files);

// The action unit that a file's name tells: "audio2AU_10.pt" -> 10. Throws Error{kInvalid} where it
// tells none or more than one.
int UnitOfFileName(const std::string& path);

}  // namespace talkface::checkpoint
