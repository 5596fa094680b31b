// SPDX-License-Identifier: MIT
// Is what sounds a voice? silero-vad 6 (github.com/snakers4/silero-vad, MIT licence), its net for
// 16 kHz in plain C++ loops.
//
// For every 32 ms: the 64 samples before and the 512 new ones, mirrored at the end by 64 more
//   magnitudes of 4 windows (256 samples, Hann, hop 128)         [129 x 4]
//   conv1 (stride 1), conv2 (2), conv3 (2), conv4 (1), each kernel 3, padding 1, relu
//                                                                 [128 x 4], [64 x 2], [64], [128]
//   LSTM of 128 units, relu, one output, sigmoid
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "models/auwarp/speech_layers.h"

namespace talkface::auwarp {

constexpr int kVoiceChunk = 512;   // samples between two answers
constexpr int kVoiceContext = 64;  // samples of the chunk before that count too

// Immutable weights, shared by all streams.
class VoiceNet {
 public:
  struct State {
    std::vector<float> hidden, cell;  // [128], empty: a new stream's
    std::array<float, kVoiceContext> context{};
  };

  // The tensors of silero-vad's own safetensors file, their names after "voice.". Throws
  // Error{kBadPack}.
  static std::shared_ptr<const VoiceNet> Load(const SafeTensors& file);
  static bool IsIn(const SafeTensors& file) { return file.Has("voice.conv1.weight"); }

  // Probability that the chunk's end lies in speech; samples beyond +-1 count as +-1.
  float Step(const float* samples, State* state) const;

 private:
  VoiceNet() = default;
  Linear conv1_, conv2_, conv3_, conv4_, lstm_input_, lstm_hidden_, head_;
};

// A stream's detector: takes samples in pieces of any size.
class VoiceDetector {
 public:
  explicit VoiceDetector(std::shared_ptr<const VoiceNet> net);
  // The last answer once `count` more samples are in.
  float Push(const float* samples, int count);

 private:
  std::shared_ptr<const VoiceNet> net_;
  VoiceNet::State state_;
  std::vector<float> pending_;
  float probability_ = 0;
};

}  // namespace talkface::auwarp
