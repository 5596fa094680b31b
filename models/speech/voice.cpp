// SPDX-License-Identifier: MIT
#include "models/speech/voice.h"

#include <algorithm>

#include "models/speech/fft.h"

namespace talkface::speech {
namespace {

constexpr int kWindow = 256, kHop = 128, kPadded = kVoiceContext + kVoiceChunk + 64;
constexpr int kFrames = 4, kBins = kWindow / 2 + 1;
constexpr int kTaps = 3, kWide = 128, kNarrow = 64, kUnits = kVoiceUnits;
// Answers between these are in doubt. Of speech one chunk in twenty is.
constexpr float kNoVoice = 0.3f, kSurelyVoice = 0.95f;
static_assert((kPadded - kWindow) / kHop + 1 == kFrames);

using Transform = Fft<float, kWindow>;

const std::array<float, kWindow>& HannWindow() {
  static const std::array<float, kWindow> window = [] {
    std::array<float, kWindow> hann;
    for (int i = 0; i < kWindow; ++i)
      hann[i] = static_cast<float>(0.5 - 0.5 * std::cos(2 * kPi * i / kWindow));
    return hann;
  }();
  return window;
}

// Magnitudes of the windows that begin at `first` and `second`, both by one transform: the second
// is its imaginary part.
void TwoSpectra(const float* first, const float* second, float* first_out, float* second_out) {
  const auto& window = HannWindow();
  Transform::Buffer x;
  for (int i = 0; i < kWindow; ++i) {
    const int to = Transform::Place(i);
    x.re[to] = first[i] * window[i];
    x.im[to] = second[i] * window[i];
  }
  Transform::Run(&x);
  for (int k = 0; k < kBins; ++k) {
    const int m = (kWindow - k) % kWindow;
    const float a_re = 0.5f * (x.re[k] + x.re[m]), a_im = 0.5f * (x.im[k] - x.im[m]);
    const float b_re = 0.5f * (x.im[k] + x.im[m]), b_im = 0.5f * (x.re[m] - x.re[k]);
    first_out[k] = std::sqrt(a_re * a_re + a_im * a_im);
    second_out[k] = std::sqrt(b_re * b_re + b_im * b_im);
  }
}

// A convolution with kernel 3 and padding 1: `in` is [count x channels] with a zero row before and
// after it; the outputs, after relu, go to every row of `out` [outputs].
void Convolve(const Linear& layer, const float* in, int channels, int stride, int rows,
              float* out) {
  for (int row = 0; row < rows; ++row) {
    float* to = out + row * layer.outputs;
    layer.Apply(in + row * stride * channels, to);
    for (int o = 0; o < layer.outputs; ++o) to[o] = std::max(to[o], 0.0f);
  }
}

}  // namespace

std::shared_ptr<const VoiceNet> VoiceNet::Load(const SafeTensors& file) {
  std::shared_ptr<VoiceNet> net(new VoiceNet);
  const auto load = [&file](const std::string& layer, const std::string& suffix, int outputs,
                            int inputs, int taps) {
    const std::string base = "voice." + layer + ".";
    return Linear::Load(file, base + "weight" + suffix, base + "bias" + suffix, outputs, inputs,
                        taps);
  };
  net->conv1_ = load("conv1", "", kWide, kBins, kTaps);
  net->conv2_ = load("conv2", "", kNarrow, kWide, kTaps);
  net->conv3_ = load("conv3", "", kNarrow, kNarrow, kTaps);
  net->conv4_ = load("conv4", "", kWide, kNarrow, kTaps);
  net->lstm_input_ = load("lstm_cell", "_ih", 4 * kUnits, kWide, 1);
  net->lstm_hidden_ = load("lstm_cell", "_hh", 4 * kUnits, kUnits, 1);
  // The head is a convolution with a single tap.
  const float* weight = file.Floats("voice.final_conv.weight", {1, kUnits, 1});
  net->head_ = {kUnits, 1, {weight, weight + kUnits}, {*file.Floats("voice.final_conv.bias", {1})}};
  return net;
}

void VoiceNet::Hear(const float* samples, Context* context, Drive* drive) const {
  std::array<float, kPadded> padded;
  std::copy(context->begin(), context->end(), padded.begin());
  std::transform(samples, samples + kVoiceChunk, padded.begin() + kVoiceContext, [](float sample) {
    return std::isfinite(sample) ? std::clamp(sample, -1.0f, 1.0f) : 0.0f;
  });
  constexpr int kEnd = kVoiceContext + kVoiceChunk;
  for (int i = 0; i < kPadded - kEnd; ++i) padded[kEnd + i] = padded[kEnd - 2 - i];
  std::copy(padded.begin() + kEnd - kVoiceContext, padded.begin() + kEnd, context->begin());

  // Each layer's input has a row of zeros before and after.
  std::array<float, (kFrames + 2) * kBins> spectra{};
  for (int f = 0; f < kFrames; f += 2)
    TwoSpectra(padded.data() + f * kHop, padded.data() + (f + 1) * kHop,
               spectra.data() + (f + 1) * kBins, spectra.data() + (f + 2) * kBins);
  std::array<float, (kFrames + 2) * kWide> wide{};
  std::array<float, 4 * kNarrow> two{};
  std::array<float, 3 * kNarrow> one{};
  std::array<float, kWide> last;
  Convolve(conv1_, spectra.data(), kBins, 1, kFrames, wide.data() + kWide);
  Convolve(conv2_, wide.data(), kWide, 2, 2, two.data() + kNarrow);
  Convolve(conv3_, two.data(), kNarrow, 2, 1, one.data() + kNarrow);
  Convolve(conv4_, one.data(), kNarrow, 1, 1, last.data());
  lstm_input_.Apply(last.data(), drive->data());
}

float VoiceNet::Judge(const Drive& drive, Memory* memory) const {
  Drive carried;
  lstm_hidden_.Apply(memory->hidden.data(), carried.data());
  std::array<float, kUnits> shown;
  for (int u = 0; u < kUnits; ++u) {
    const auto gate = [&](int g) { return drive[g * kUnits + u] + carried[g * kUnits + u]; };
    memory->cell[u] = Sigmoid(gate(1)) * memory->cell[u] + Sigmoid(gate(0)) * std::tanh(gate(2));
    memory->hidden[u] = Sigmoid(gate(3)) * std::tanh(memory->cell[u]);
    shown[u] = std::max(memory->hidden[u], 0.0f);
  }
  float logit = 0;
  head_.Apply(shown.data(), &logit);
  return Sigmoid(logit);
}

VoiceDetector::VoiceDetector(std::shared_ptr<const VoiceNet> net) : net_(std::move(net)) {
  pending_.reserve(kVoiceChunk);
}

float VoiceDetector::JudgeAgain() const {
  VoiceNet::Memory fresh;
  float answer = 0;
  for (uint64_t c = chunks_ - std::min<uint64_t>(chunks_, kVoiceAgain); c < chunks_; ++c)
    answer = net_->Judge(drives_[c % kVoiceAgain], &fresh);
  return answer;
}

float VoiceDetector::Push(const float* samples, int count) {
  while (count > 0) {
    const int part = std::min(count, kVoiceChunk - static_cast<int>(pending_.size()));
    pending_.insert(pending_.end(), samples, samples + part);
    samples += part;
    count -= part;
    if (static_cast<int>(pending_.size()) < kVoiceChunk) break;
    VoiceNet::Drive& drive = drives_[chunks_++ % kVoiceAgain];
    net_->Hear(pending_.data(), &context_, &drive);
    probability_ = net_->Judge(drive, &memory_);
    if (probability_ > kNoVoice && probability_ < kSurelyVoice)
      probability_ = std::min(probability_, JudgeAgain());
    pending_.clear();
  }
  return probability_;
}

}  // namespace talkface::speech
