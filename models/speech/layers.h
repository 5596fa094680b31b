// SPDX-License-Identifier: MIT
// What the speech part's nets are made of, in plain loops.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "models/core/safetensors.h"

namespace talkface::speech {

inline float Sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

// Which member of an ensemble of how many.
struct EnsemblePlace {
  int member, members;
};

// out = weight x in + bias. A convolution is one too: its inputs are the taps' inputs one after the
// other, the oldest first.
struct Linear {
  int inputs = 0, outputs = 0;
  std::vector<float> weight, bias;  // weight transposed for the inner loop: [inputs x outputs]

  // Reads PyTorch's [outputs x inputs] or, with more than one tap, [outputs x inputs x taps].
  // Throws Error{kBadPack} naming file, tensor, wanted and got.
  static Linear Load(const SafeTensors& file, const std::string& weight_name,
                     const std::string& bias_name, int outputs, int inputs, int taps);
  // The same of tensors that hold one such layer for each member of an ensemble, [members x ...].
  static Linear Load(const SafeTensors& file, const std::string& weight_name,
                     const std::string& bias_name, int outputs, int inputs, int taps,
                     EnsemblePlace place);
  void Apply(const float* in, float* out) const;
};

// Drops the oldest row of `history` and appends `row` [size].
void ShiftRows(std::vector<float>* history, const float* row, int size);

}  // namespace talkface::speech
