// SPDX-License-Identifier: MIT
// The speech net run whole by libtorch, from the weights of a pack: what
// models/families/auwarp/speech/speech_net is held to.
#pragma once

#include <string>
#include <vector>

namespace talkface::training {

struct TorchOutput {
  std::vector<float> motion;  // [steps x kDelays x kOutputs], in Expression's units
  std::vector<float> phones;  // [steps x kDelays x kPhones], probabilities
};

// `mel` is [2 x steps x kMelBands], normalised.
TorchOutput RunSpeechByTorch(const std::string& weights, const std::vector<float>& mel);

}  // namespace talkface::training
