// SPDX-License-Identifier: MIT
// Every tensor of the paper's model by its official name (docs/mftfg.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/families/mftfg/config.h"

namespace talkface::checkpoint {

using Shape = std::vector<int64_t>;
using Shapes = std::map<std::string, Shape>;

// What the official code's modules hold. All are float32 but the scalars num_batches_tracked.
Shapes LatentDiffusionShapes(const mftfg::Config& sizes);  // without attention keys and values
Shapes AttentionShapes(const mftfg::Config& sizes);        // these: ...to_k.weight, ...to_v.weight
Shapes Audio2AuShapes(const mftfg::Config& sizes);
Shapes MaskGeneratorShapes(const mftfg::Config& sizes);

// The tensors of the official modules that are the same as others under a second name: TACN's
// convolutions, "net.0" (conv1) and "net.4" (conv2). Returns the first name, or `name` itself.
std::string CanonicalName(const std::string& name);

// The action units that have an Audio2AU net, in the order of their features.
constexpr int kAudio2Aus[] = {10, 14, 20, 25, 26};
// "audio2AU10_model.", the official variable's name.
std::string Audio2AuPrefix(int unit);
constexpr const char* kMaskPrefix = "mask_model.";

}  // namespace talkface::checkpoint
