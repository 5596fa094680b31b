// SPDX-License-Identifier: MIT
// One member of the speech net (speech_net.h): log-mel bands in, mouth motion out, one step of 20
// ms at a time with carried state. Plain C++ loops, no libtorch; the trainer
// (models/training/speech/speech_trainer.cpp) builds the same with libtorch and the tests hold the
// two equal.
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
#include <vector>

#include "models/core/safetensors.h"
#include "models/speech/gate.h"
#include "models/speech/layers.h"

namespace talkface::auwarp {

constexpr int kStepMs = speech::kGateStepMs;
constexpr int kFramesPerStep = 2;  // mel frames
constexpr std::array<int, 4> kDelaysMs = {40, 80, 120, 180};
constexpr int kDelays = 4;
constexpr int kShapeOutputs = 4;
constexpr int kOutputs = 10;  // opening, width, upper, jaw, then the six action units
// Kinds of sounds by what the lips do: rest, closed (p, b, m), lip on teeth (f, v), rounded, open,
// any other.
constexpr int kPhones = 6;
constexpr int kBilabial = 1, kRounded = 3;

// What one step gives.
struct SpeechOutput {
  std::array<std::array<float, kOutputs>, kDelays> motion;  // in the units of Expression
  std::array<std::array<float, kPhones>, kDelays> phones;   // probabilities
};

// Immutable weights.
class SpeechMember {
 public:
  // What a stream carries from step to step.
  struct State {
    std::vector<float> mel;     // the last 2 frames, [2 x B]
    std::vector<float> conv1;   // the last 2 inputs of conv1, [2 x C]
    std::vector<float> conv2;   // the last 4 inputs of conv2, [4 x C]
    std::vector<float> hidden;  // [G]
  };

  // How many members a file holds. Throws Error{kBadPack}.
  static int CountIn(const SafeTensors& file);
  // Reads a member out of the file's tensors, [members x ...] each. Throws Error{kBadPack} naming
  // file, tensor, wanted and got.
  SpeechMember(const SafeTensors& file, speech::EnsemblePlace place);

  State NewState() const;
  // One step: `mel` is [2 x B], normalised. Motion comes in the trained units, unscaled.
  SpeechOutput Step(const float* mel, State* state) const;

  int channels() const { return channels_; }
  int hidden() const { return hidden_; }

 private:
  void StepGru(const float* in, std::vector<float>* hidden) const;

  int channels_, hidden_;
  speech::Linear conv0_, conv1_, conv2_, gru_input_, gru_hidden_, head_, phones_;
};

}  // namespace talkface::auwarp
