// SPDX-License-Identifier: MIT
// a_mfcc: speech to MFCC, stage by stage, and the windows that the networks get.
#include "models/families/mftfg/config.h"
#include "models/families/mftfg/speech/speech_run.h"
#include "tests/units/families/mftfg/parity/checks.h"

namespace talkface::parity {
namespace {

using speech::MfccColumn;

constexpr double kDoubleTolerance = 1e-9;
constexpr int64_t kOfficialColumns = 35, kOfficialMargin = 3, kColumnsPerFrame = 4;

// A float32 reference is off by half a unit in the last place: 2^-24 of the largest value.
void CompareRounded(Reference* reference, const std::string& name, const torch::Tensor& got) {
  const double largest = reference->Get(name).abs().max().item<double>();
  reference->Compare(name, got, kDoubleTolerance + largest / (1 << 24));
}

std::vector<int16_t> Samples(const Reference& reference, const std::string& name) {
  const torch::Tensor wave = reference.Get(name).contiguous();
  const int16_t* first = wave.data_ptr<int16_t>();
  return std::vector<int16_t>(first, first + wave.numel());
}

template <size_t N>
torch::Tensor Row(const std::array<double, N>& values) {
  return torch::tensor(at::ArrayRef<double>(values), torch::kFloat64);
}

template <size_t N>
torch::Tensor Rows(const std::vector<std::array<double, N>>& rows) {
  std::vector<torch::Tensor> tensors;
  for (const auto& row : rows) tensors.push_back(Row(row));
  return torch::stack(tensors);
}

template <size_t N, size_t M>
torch::Tensor Rows(const std::array<std::array<double, N>, M>& rows) {
  return Rows(std::vector<std::array<double, N>>(rows.begin(), rows.end()));
}

std::vector<double> Emphasised(const std::vector<int16_t>& samples) {
  std::vector<double> emphasised(samples.begin(), samples.end());
  for (size_t i = 1; i < samples.size(); ++i)
    emphasised[i] = speech::mfcc::PreEmphasise(samples[i], samples[i - 1]);
  return emphasised;
}

void CheckStages(Reference* reference, const std::vector<int16_t>& samples, size_t columns) {
  using namespace speech::mfcc;
  reference->Compare("mid/filterbank_f64", Rows(FilterBank()), kDoubleTolerance);
  CompareRounded(reference, "mid/filterbank", Rows(FilterBank()));
  reference->Compare("mid/dct_matrix_f64", Rows(Dct()), kDoubleTolerance);
  reference->Compare("mid/lifter_f64", Row(Lifter()), kDoubleTolerance);
  const std::vector<double> emphasised = Emphasised(samples);
  const int64_t head = reference->Size("mid/preemph_head", 0);
  const torch::Tensor all = torch::tensor(emphasised, torch::kFloat64);
  CompareRounded(reference, "mid/preemph_head", all.narrow(0, 0, head));
  std::vector<Frame> frames;
  std::vector<Spectrum> spectra;
  for (const size_t k : {size_t{0}, size_t{20}, size_t{100}}) {
    frames.push_back(Window(&emphasised[k * speech::kMfccStep]));
    spectra.push_back(Magnitudes(frames.back()));
  }
  CompareRounded(reference, "mid/frames_windowed_0_20_100", Rows(frames));
  CompareRounded(reference, "mid/magspec_0_20_100", Rows(spectra));
  std::vector<FilterEnergies> energies;
  for (size_t k = 0; k < columns; ++k)
    energies.push_back(LogEnergies(Magnitudes(Window(&emphasised[k * speech::kMfccStep]))));
  CompareRounded(reference, "mid/log_fbank", Rows(energies));
}

// [windows, 12, width, 1]: window i starts at column 4 i + margin.
torch::Tensor Windows(const torch::Tensor& mfcc, int64_t count, int64_t width, int64_t margin) {
  std::vector<torch::Tensor> windows;
  for (int64_t i = 0; i < count; ++i)
    windows.push_back(mfcc.narrow(1, kColumnsPerFrame * i + margin, width));
  return torch::stack(windows).unsqueeze(-1);
}

// The same as a live stream has them, for the frames of the official clips, which begin with the
// fifth frame of a recording.
torch::Tensor LiveWindows(const std::vector<int16_t>& samples, int64_t count) {
  constexpr float kFullScale = 32768;
  mftfg::SpeechRun run;
  for (const int16_t sample : samples) {
    const float value = static_cast<float>(sample) / kFullScale;
    run.Push(&value, 1);
  }
  const uint64_t last = static_cast<uint64_t>(count - 1 + 4) * mftfg::kFrameStepNs;
  const mftfg::FrameWindow window = run.WindowAt(last, {count, 0});
  return torch::tensor(window.mfcc).view({count, speech::kMfccRows, speech::kMfccColumns, 1});
}

}  // namespace

void CheckMfcc(Reference* reference) {
  const std::vector<int16_t> samples = Samples(*reference, "in/wave");
  const std::vector<MfccColumn> columns = speech::Mfcc(samples);
  CheckStages(reference, samples, columns.size());
  const torch::Tensor mfcc = Rows(columns).transpose(0, 1);  // [12, T]
  reference->Compare("out/mfcc_f64", mfcc, kDoubleTolerance);
  CompareRounded(reference, "out/mfcc", mfcc);
  CompareRounded(reference, "out/windows35",
                 Windows(mfcc, reference->Size("out/windows35", 0), kOfficialColumns, 0));
  const int64_t frames = reference->Size("out/windows25", 0);
  CompareRounded(reference, "out/windows25",
                 Windows(mfcc, frames, speech::kMfccColumns, kOfficialMargin));
  CompareRounded(reference, "out/windows25", LiveWindows(samples, frames));
  for (const char* edge : {"short300", "exact400", "n401", "exact1200", "silence_then_noise"}) {
    const auto edge_columns = speech::Mfcc(Samples(*reference, std::string("in/edge_") + edge));
    CompareRounded(reference, std::string("out/edge_") + edge, Rows(edge_columns).transpose(0, 1));
  }
}

}  // namespace talkface::parity
