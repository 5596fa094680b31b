// SPDX-License-Identifier: MIT
// Packs of the family mftfg, written to disk.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "models/training/checkpoint/mftfg_import.h"

namespace talkface::checkpoint {

struct MftfgPackFacts {
  std::string folder;   // to be made; its last part is the pack's name
  std::string licence;  // of the weights
};

// Writes manifest and tensors to a folder beside the wanted one, which is renamed when all is
// there: there is a whole pack or none. `progress` is called with the bytes written so far. Throws
// Error{kInvalid} if the folder exists, Error{kFailed} if something cannot be written, Error
// {kBadPack} if a checkpoint's data are damaged.
void WriteMftfgPack(const MftfgTensors& tensors, const MftfgPackFacts& facts,
                    const std::function<void(uint64_t)>& progress);

}  // namespace talkface::checkpoint
