// SPDX-License-Identifier: MIT
// The speech net: log-mel bands in, mouth motion out, one step of 20 ms at a time with carried
// state. Plain C++ loops, no libtorch; the trainer (models/tools/speech_trainer.cpp) builds the
// same net with libtorch and the tests hold the two equal.
//
// With B bands, C channels, G hidden units, D delays and O outputs:
//   x  [B] twice a step (100 Hz)
//   c0 = relu(conv0(x))            causal, kernel 4, stride 2      -> [C] at 50 Hz
//   c1 = c0 + relu(conv1(c0))      causal, kernel 3, dilation 1
//   c2 = c1 + relu(conv2(c1))      causal, kernel 3, dilation 2
//   h  = GRU(c2, h)                PyTorch's gate order r, z, n    -> [G]
//   y  = head(h)                   [D x O]: for delay d the expression d before the step's end
//   p  = softmax(phones(h))        [D x P]: and what kind of sound it was
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/auwarp/expression.h"
#include "models/auwarp/speech_layers.h"
#include "models/auwarp/speech_voice.h"
#include "models/core/pack.h"
#include "models/core/safetensors.h"

namespace talkface::auwarp {

constexpr int kStepMs = 20;
constexpr int kFramesPerStep = 2;  // mel frames
constexpr std::array<int, 4> kDelaysMs = {40, 80, 120, 180};
constexpr int kDelays = 4;
constexpr int kShapeOutputs = 4;
constexpr int kOutputs = 10;  // opening, width, upper, jaw, then the six action units
// Kinds of sounds by what the lips do: rest, closed (p, b, m), lip on teeth (f, v), rounded, open,
// any other.
constexpr int kPhones = 6;
constexpr int kBilabial = 1;

// Immutable weights, shared by all streams.
class SpeechNet {
 public:
  // What a stream carries from step to step.
  struct State {
    std::vector<float> mel;     // the last 2 frames, [2 x B]
    std::vector<float> conv1;   // the last 2 inputs of conv1, [2 x C]
    std::vector<float> conv2;   // the last 4 inputs of conv2, [4 x C]
    std::vector<float> hidden;  // [G]
  };
  struct Output {
    std::array<std::array<float, kOutputs>, kDelays> motion;  // in the units of Expression
    std::array<std::array<float, kPhones>, kDelays> phones;   // probabilities
  };

  // Reads the tensors of a speech.safetensors; those of the voice detector ("voice.") may be
  // missing. Throws Error{kBadPack} naming file, tensor, wanted and got.
  static std::shared_ptr<const SpeechNet> Load(std::shared_ptr<const SafeTensors> file);

  State NewState() const;
  // One step: `mel` is [2 x B], normalised.
  Output Step(const float* mel, State* state) const;

  int bands() const { return bands_; }
  int channels() const { return channels_; }
  int hidden() const { return hidden_; }
  // Mean log-mel bands of the training speech, [B]: where a new stream's running mean starts.
  const float* typical_mel() const { return typical_mel_; }
  // What tells voices from other sounds; null: loudness alone does.
  const std::shared_ptr<const VoiceNet>& voice() const { return voice_; }
  uint64_t bytes() const { return file_->bytes(); }

 private:
  SpeechNet() = default;
  void StepGru(const float* in, std::vector<float>* hidden) const;

  std::shared_ptr<const SafeTensors> file_;
  int bands_ = 0, channels_ = 0, hidden_ = 0;
  Linear conv0_, conv1_, conv2_, gru_input_, gru_hidden_, head_, phones_;
  const float* typical_mel_ = nullptr;  // inside file_
  std::vector<float> scale_;            // [O]: from the net's units to Expression's
  std::shared_ptr<const VoiceNet> voice_;
};

}  // namespace talkface::auwarp
