// SPDX-License-Identifier: MIT
// The sizes of the paper's model that a checkpoint's shapes tell.
#pragma once

#include "models/training/checkpoint/mftfg_keys.h"

namespace talkface::checkpoint {

// `shapes`: all parts by their official names, Audio2AU and mask generator behind their prefixes.
// Only a few tensors are looked at; whether all the others fit is for the caller to compare. Throws
// Error{kBadPack} naming a tensor that is missing or has no usable shape.
mftfg::Config InferSizes(const Shapes& shapes);

}  // namespace talkface::checkpoint
