// SPDX-License-Identifier: MIT
// The speech net run whole by libtorch, from the weights of a pack: what models/auwarp/speech_net
// is held to.
#pragma once

#include <string>
#include <vector>

namespace talkface::training {

// `mel` is [2 x steps x kMelBands], normalised; returns [steps x kDelays x kOutputs] in
// Expression's units.
std::vector<float> RunSpeechByTorch(const std::string& weights, const std::vector<float>& mel);

}  // namespace talkface::training
