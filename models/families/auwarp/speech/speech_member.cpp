// SPDX-License-Identifier: MIT
#include "models/families/auwarp/speech/speech_member.h"

#include <algorithm>
#include <cmath>

#include "models/core/error.h"
#include "models/speech/log_mel.h"

namespace talkface::auwarp {
namespace {

constexpr int kConv0Frames = 4, kConv1Steps = 3, kConv2Span = 5, kConv2Dilation = 2;
constexpr int64_t kMaxUnits = 1024;  // of channels and hidden: more is a damaged file
constexpr int64_t kMaxMembers = 16;  // likewise

// One size of a tensor, by which the file says how large its net is.
int SizeOf(const SafeTensors& file, const std::string& name, size_t dimension, int64_t most) {
  const std::vector<int64_t>& shape = file.Get(name).shape;
  if (shape.size() <= dimension || shape[dimension] < 1 || shape[dimension] > most) {
    throw Error(Code::kBadPack, file.path() + ": " + name + " has no size of 1 to " +
                                    std::to_string(most) + " in place " +
                                    std::to_string(dimension + 1) + " of its shape.");
  }
  return static_cast<int>(shape[dimension]);
}

// Logits become probabilities.
void Softmax(float* values, int count) {
  const float most = *std::max_element(values, values + count);
  float sum = 0;
  for (int i = 0; i < count; ++i) sum += values[i] = std::exp(values[i] - most);
  for (int i = 0; i < count; ++i) values[i] /= sum;
}

}  // namespace

int SpeechMember::CountIn(const SafeTensors& file) {
  return SizeOf(file, "conv0.weight", 0, kMaxMembers);
}

SpeechMember::SpeechMember(const SafeTensors& file, speech::EnsemblePlace place)
    : channels_(SizeOf(file, "conv0.weight", 1, kMaxUnits)),
      hidden_(SizeOf(file, "gru.weight_hh", 1, 3 * kMaxUnits) / 3) {
  const auto load = [&](const std::string& name, int outputs, int inputs, int taps,
                        const std::string& suffix = "") {
    return speech::Linear::Load(file, name + ".weight" + suffix, name + ".bias" + suffix, outputs,
                                inputs, taps, place);
  };
  conv0_ = load("conv0", channels_, speech::kMelBands, kConv0Frames);
  conv1_ = load("conv1", channels_, channels_, kConv1Steps);
  conv2_ = load("conv2", channels_, channels_, kConv1Steps);
  gru_input_ = load("gru", 3 * hidden_, channels_, 1, "_ih");
  gru_hidden_ = load("gru", 3 * hidden_, hidden_, 1, "_hh");
  head_ = load("head", kDelays * kOutputs, hidden_, 1);
  phones_ = load("phones", kDelays * kPhones, hidden_, 1);
}

SpeechMember::State SpeechMember::NewState() const {
  State state;
  state.mel.assign((kConv0Frames - kFramesPerStep) * speech::kMelBands, 0.0f);
  state.conv1.assign((kConv1Steps - 1) * channels_, 0.0f);
  state.conv2.assign((kConv2Span - 1) * channels_, 0.0f);
  state.hidden.assign(hidden_, 0.0f);
  return state;
}

void SpeechMember::StepGru(const float* in, std::vector<float>* hidden) const {
  std::vector<float> input(3 * hidden_), carried(3 * hidden_);
  gru_input_.Apply(in, input.data());
  gru_hidden_.Apply(hidden->data(), carried.data());
  for (int j = 0; j < hidden_; ++j) {
    const float reset = speech::Sigmoid(input[j] + carried[j]);
    const float update = speech::Sigmoid(input[hidden_ + j] + carried[hidden_ + j]);
    const float fresh = std::tanh(input[2 * hidden_ + j] + reset * carried[2 * hidden_ + j]);
    (*hidden)[j] = (1.0f - update) * fresh + update * (*hidden)[j];
  }
}

SpeechOutput SpeechMember::Step(const float* mel, State* state) const {
  const int step_inputs = kFramesPerStep * speech::kMelBands;
  std::vector<float> window(kConv0Frames * speech::kMelBands);
  std::copy(state->mel.begin(), state->mel.end(), window.begin());
  std::copy(mel, mel + step_inputs, window.begin() + static_cast<ptrdiff_t>(state->mel.size()));
  std::copy(mel, mel + step_inputs, state->mel.begin());

  std::vector<float> x(channels_), y(channels_);
  conv0_.Apply(window.data(), x.data());
  for (float& value : x) value = std::max(value, 0.0f);

  std::vector<float> taps(kConv1Steps * channels_);
  std::copy(state->conv1.begin(), state->conv1.end(), taps.begin());
  std::copy(x.begin(), x.end(), taps.end() - channels_);
  speech::ShiftRows(&state->conv1, x.data(), channels_);
  conv1_.Apply(taps.data(), y.data());
  for (int c = 0; c < channels_; ++c) x[c] += std::max(y[c], 0.0f);

  for (int tap = 0; tap < kConv1Steps - 1; ++tap)
    std::copy_n(state->conv2.begin() + tap * kConv2Dilation * channels_, channels_,
                taps.begin() + tap * channels_);
  std::copy(x.begin(), x.end(), taps.end() - channels_);
  speech::ShiftRows(&state->conv2, x.data(), channels_);
  conv2_.Apply(taps.data(), y.data());
  for (int c = 0; c < channels_; ++c) x[c] += std::max(y[c], 0.0f);

  StepGru(x.data(), &state->hidden);
  SpeechOutput output;
  head_.Apply(state->hidden.data(), output.motion[0].data());
  phones_.Apply(state->hidden.data(), output.phones[0].data());
  for (auto& phones : output.phones) Softmax(phones.data(), kPhones);
  return output;
}

}  // namespace talkface::auwarp
