// SPDX-License-Identifier: MIT
#include "models/auwarp/speech_net.h"

#include <algorithm>
#include <cmath>

#include "models/auwarp/speech_front_end.h"
#include "models/core/error.h"

namespace talkface::auwarp {
namespace {

constexpr int kConv0Frames = 4, kConv1Steps = 3, kConv2Span = 5, kConv2Dilation = 2;
constexpr int64_t kMaxUnits = 1024;  // of channels and hidden: more is a damaged file

// The first size of a tensor, by which the file says how large its net is.
int SizeOf(const SafeTensors& file, const std::string& name) {
  const TensorView& view = file.Get(name);
  if (view.shape.empty() || view.shape[0] < 1 || view.shape[0] > kMaxUnits * 3) {
    throw Error(Code::kBadPack, file.path() + ": " + name + " has no size of 1 to " +
                                    std::to_string(kMaxUnits * 3) + " in front.");
  }
  return static_cast<int>(view.shape[0]);
}

// Logits become probabilities.
void Softmax(float* values, int count) {
  const float most = *std::max_element(values, values + count);
  float sum = 0;
  for (int i = 0; i < count; ++i) sum += values[i] = std::exp(values[i] - most);
  for (int i = 0; i < count; ++i) values[i] /= sum;
}

}  // namespace

std::shared_ptr<const SpeechNet> SpeechNet::Load(std::shared_ptr<const SafeTensors> file) {
  std::shared_ptr<SpeechNet> net(new SpeechNet);
  net->file_ = file;
  net->bands_ = kMelBands;
  net->channels_ = SizeOf(*file, "conv0.weight");
  net->hidden_ = SizeOf(*file, "gru.weight_hh") / 3;
  const int channels = net->channels_, hidden = net->hidden_;
  const auto load = [&file](const std::string& name, int outputs, int inputs, int taps) {
    return Linear::Load(*file, name + ".weight", name + ".bias", outputs, inputs, taps);
  };
  net->conv0_ = load("conv0", channels, kMelBands, kConv0Frames);
  net->conv1_ = load("conv1", channels, channels, kConv1Steps);
  net->conv2_ = load("conv2", channels, channels, kConv1Steps);
  net->gru_input_ = Linear::Load(*file, "gru.weight_ih", "gru.bias_ih", 3 * hidden, channels, 1);
  net->gru_hidden_ = Linear::Load(*file, "gru.weight_hh", "gru.bias_hh", 3 * hidden, hidden, 1);
  net->head_ = load("head", kDelays * kOutputs, hidden, 1);
  net->phones_ = load("phones", kDelays * kPhones, hidden, 1);
  const float* scale = file->Floats("scale", {kOutputs});
  net->scale_.assign(scale, scale + kOutputs);
  net->typical_mel_ = file->Floats("typical_mel", {kMelBands});
  if (VoiceNet::IsIn(*file)) net->voice_ = VoiceNet::Load(*file);
  return net;
}

SpeechNet::State SpeechNet::NewState() const {
  State state;
  state.mel.assign((kConv0Frames - kFramesPerStep) * bands_, 0.0f);
  state.conv1.assign((kConv1Steps - 1) * channels_, 0.0f);
  state.conv2.assign((kConv2Span - 1) * channels_, 0.0f);
  state.hidden.assign(hidden_, 0.0f);
  return state;
}

void SpeechNet::StepGru(const float* in, std::vector<float>* hidden) const {
  std::vector<float> input(3 * hidden_), carried(3 * hidden_);
  gru_input_.Apply(in, input.data());
  gru_hidden_.Apply(hidden->data(), carried.data());
  for (int j = 0; j < hidden_; ++j) {
    const float reset = Sigmoid(input[j] + carried[j]);
    const float update = Sigmoid(input[hidden_ + j] + carried[hidden_ + j]);
    const float fresh = std::tanh(input[2 * hidden_ + j] + reset * carried[2 * hidden_ + j]);
    (*hidden)[j] = (1.0f - update) * fresh + update * (*hidden)[j];
  }
}

SpeechNet::Output SpeechNet::Step(const float* mel, State* state) const {
  const int step_inputs = kFramesPerStep * bands_;
  std::vector<float> window(kConv0Frames * bands_);
  std::copy(state->mel.begin(), state->mel.end(), window.begin());
  std::copy(mel, mel + step_inputs, window.begin() + static_cast<ptrdiff_t>(state->mel.size()));
  std::copy(mel, mel + step_inputs, state->mel.begin());

  std::vector<float> x(channels_), y(channels_);
  conv0_.Apply(window.data(), x.data());
  for (float& value : x) value = std::max(value, 0.0f);

  std::vector<float> taps(kConv1Steps * channels_);
  std::copy(state->conv1.begin(), state->conv1.end(), taps.begin());
  std::copy(x.begin(), x.end(), taps.end() - channels_);
  ShiftRows(&state->conv1, x.data(), channels_);
  conv1_.Apply(taps.data(), y.data());
  for (int c = 0; c < channels_; ++c) x[c] += std::max(y[c], 0.0f);

  for (int tap = 0; tap < kConv1Steps - 1; ++tap)
    std::copy_n(state->conv2.begin() + tap * kConv2Dilation * channels_, channels_,
                taps.begin() + tap * channels_);
  std::copy(x.begin(), x.end(), taps.end() - channels_);
  ShiftRows(&state->conv2, x.data(), channels_);
  conv2_.Apply(taps.data(), y.data());
  for (int c = 0; c < channels_; ++c) x[c] += std::max(y[c], 0.0f);

  StepGru(x.data(), &state->hidden);
  std::array<float, kDelays * kOutputs> flat;
  head_.Apply(state->hidden.data(), flat.data());
  Output output;
  for (int d = 0; d < kDelays; ++d)
    for (int o = 0; o < kOutputs; ++o) output.motion[d][o] = flat[d * kOutputs + o] * scale_[o];
  phones_.Apply(state->hidden.data(), output.phones[0].data());
  for (auto& phones : output.phones) Softmax(phones.data(), kPhones);
  return output;
}

}  // namespace talkface::auwarp
