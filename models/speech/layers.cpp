// SPDX-License-Identifier: MIT
#include "models/speech/layers.h"

#include <algorithm>

namespace talkface::speech {

namespace {

// `weight` is PyTorch's [outputs x inputs x taps], `bias` [outputs].
Linear Transposed(const float* weight, const float* bias, int outputs, int inputs, int taps) {
  Linear linear;
  linear.inputs = taps * inputs;
  linear.outputs = outputs;
  linear.bias.assign(bias, bias + outputs);
  linear.weight.resize(static_cast<size_t>(linear.inputs) * outputs);
  for (int o = 0; o < outputs; ++o)
    for (int i = 0; i < inputs; ++i)
      for (int t = 0; t < taps; ++t)
        linear.weight[static_cast<size_t>(t * inputs + i) * outputs + o] =
            weight[(static_cast<size_t>(o) * inputs + i) * taps + t];
  return linear;
}

std::vector<int64_t> WeightShape(int outputs, int inputs, int taps) {
  std::vector<int64_t> shape = {outputs, inputs};
  if (taps > 1) shape.push_back(taps);
  return shape;
}

}  // namespace

Linear Linear::Load(const SafeTensors& file, const std::string& weight_name,
                    const std::string& bias_name, int outputs, int inputs, int taps) {
  return Transposed(file.Floats(weight_name, WeightShape(outputs, inputs, taps)),
                    file.Floats(bias_name, {outputs}), outputs, inputs, taps);
}

Linear Linear::Load(const SafeTensors& file, const std::string& weight_name,
                    const std::string& bias_name, int outputs, int inputs, int taps,
                    EnsemblePlace place) {
  std::vector<int64_t> shape = WeightShape(outputs, inputs, taps);
  shape.insert(shape.begin(), place.members);
  const ptrdiff_t weights = static_cast<ptrdiff_t>(outputs) * inputs * taps;
  return Transposed(file.Floats(weight_name, shape) + place.member * weights,
                    file.Floats(bias_name, {place.members, outputs}) + place.member * outputs,
                    outputs, inputs, taps);
}

void Linear::Apply(const float* in, float* __restrict out) const {
  std::copy(bias.begin(), bias.end(), out);
  int i = 0;
  // Four inputs at a time: `out` is read and written a quarter as often.
  for (; i + 4 <= inputs; i += 4) {
    const float a = in[i], b = in[i + 1], c = in[i + 2], d = in[i + 3];
    const float* __restrict row = weight.data() + static_cast<size_t>(i) * outputs;
    for (int o = 0; o < outputs; ++o)
      out[o] += (a * row[o] + b * row[outputs + o]) +
                (c * row[2 * outputs + o] + d * row[3 * outputs + o]);
  }
  for (; i < inputs; ++i) {
    const float* __restrict row = weight.data() + static_cast<size_t>(i) * outputs;
    for (int o = 0; o < outputs; ++o) out[o] += in[i] * row[o];
  }
}

void ShiftRows(std::vector<float>* history, const float* row, int size) {
  std::copy(history->begin() + size, history->end(), history->begin());
  std::copy(row, row + size, history->end() - size);
}

}  // namespace talkface::speech
