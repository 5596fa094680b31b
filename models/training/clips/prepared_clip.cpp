// SPDX-License-Identifier: MIT
#include "models/training/clips/prepared_clip.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "models/core/error.h"
#include "models/core/safetensors.h"
#include "models/speech/log_mel.h"

namespace talkface::auwarp {
namespace {

constexpr size_t kPoints = kClipPoints;
constexpr int kGridMs = 10;  // of MeasureOffset's curves
constexpr int kMaxShiftMs = 400;
constexpr int kMouthLeadMs = 20;
constexpr double kLeastCorrelation = 0.2;
constexpr double kDoubtPerSecond = 1.0;  // correlation that a shift of a second must win

[[noreturn]] void Reject(const std::string& path, const std::string& what,
                         const std::string& wanted, const std::string& got) {
  throw Error(Code::kInvalid, path + ": " + what + " is " + got + ", wanted " + wanted +
                                  "; prepare the clip again.");
}

// Copies a tensor of `dtype` whose sizes after the first are `tail`; returns its first size.
template <typename T>
size_t Copy(const SafeTensors& file, const std::string& name, DType dtype,
            const std::vector<int64_t>& tail, std::vector<T>* out) {
  const TensorView& view = file.Get(name);
  if (view.dtype != dtype) {
    Reject(file.path(), name, DTypeName(dtype), DTypeName(view.dtype));
  }
  if (view.shape.size() != tail.size() + 1 ||
      !std::equal(tail.begin(), tail.end(), view.shape.begin() + 1)) {
    std::string wanted = "a shape of [any", got = "[";
    for (int64_t size : tail) wanted += ", " + std::to_string(size);
    for (int64_t size : view.shape) got += (got.size() > 1 ? ", " : "") + std::to_string(size);
    Reject(file.path(), name, wanted + "]", got + "]");
  }
  out->resize(static_cast<size_t>(view.Count()));
  if (!out->empty()) std::memcpy(out->data(), view.data, view.bytes);
  return static_cast<size_t>(view.shape[0]);
}

std::string Meta(const SafeTensors& file, const std::string& name) {
  const auto found = file.metadata().find(name);
  if (found == file.metadata().end()) Reject(file.path(), "metadata " + name, "a text", "missing");
  return found->second;
}

double MetaNumber(const SafeTensors& file, const std::string& name) {
  const std::string text = Meta(file, name);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value))
    Reject(file.path(), "metadata " + name, "a number", "'" + text + "'");
  return value;
}

std::vector<float> MelOf(const std::vector<int16_t>& audio, std::vector<float>* levels) {
  speech::SpeechFrontEnd front_end;
  std::vector<float> mel;
  float hop[speech::kMelHop];
  for (size_t at = 0; at + speech::kMelHop <= audio.size(); at += speech::kMelHop) {
    for (int i = 0; i < speech::kMelHop; ++i) hop[i] = static_cast<float>(audio[at + i]) / 32768.0f;
    const speech::MelFrame frame = front_end.Push(hop);
    mel.insert(mel.end(), frame.bands.begin(), frame.bands.end());
    if (levels != nullptr) levels->push_back(frame.level_db);
  }
  return mel;
}

// The opening on a grid of kGridMs, linear between frames, held beyond the ends.
std::vector<double> OpeningCurve(const std::vector<double>& times,
                                 const std::vector<MouthMeasure>& measures, size_t count) {
  std::vector<double> t, o;
  for (size_t i = 0; i < times.size(); ++i) {
    if (!std::isfinite(measures[i].shape[0])) continue;
    t.push_back(times[i]);
    o.push_back(measures[i].shape[0]);
  }
  std::vector<double> curve;
  if (t.size() < 2) return curve;
  for (size_t i = 0; i < count; ++i) {
    const double now = static_cast<double>(i) * kGridMs / 1000.0;
    const size_t after = std::clamp<size_t>(
        static_cast<size_t>(std::upper_bound(t.begin(), t.end(), now) - t.begin()), 1,
        t.size() - 1);
    const double share =
        std::clamp((now - t[after - 1]) / std::max(t[after] - t[after - 1], 1e-9), 0.0, 1.0);
    curve.push_back(o[after - 1] + share * (o[after] - o[after - 1]));
  }
  return curve;
}

// Correlation of a[i] with b[i + shift] over what they share.
double Correlation(const std::vector<double>& a, const std::vector<double>& b, int shift) {
  const int size = static_cast<int>(std::min(a.size(), b.size()));
  double n = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  for (int i = std::max(0, -shift); i < size && i + shift < size; ++i) {
    const double x = a[i], y = b[i + shift];
    n += 1;
    sa += x;
    sb += y;
    saa += x * x;
    sbb += y * y;
    sab += x * y;
  }
  const double spread = (saa - sa * sa / n) * (sbb - sb * sb / n);
  return n > 1 && spread > 0 ? (sab - sa * sb / n) / std::sqrt(spread) : 0.0;
}

}  // namespace

double MeasureOffset(const std::vector<int16_t>& audio, const std::vector<double>& times,
                     const std::vector<MouthMeasure>& measures) {
  std::vector<float> levels;
  MelOf(audio, &levels);
  // A frame's window is centred 12.5 ms before its end: half a hop is left out of account.
  const std::vector<double> loud(levels.begin(), levels.end());
  const std::vector<double> opening = OpeningCurve(times, measures, loud.size());
  if (opening.empty()) return 0;
  const int expected = -kMouthLeadMs / kGridMs;
  double best = 0;
  int best_shift = expected;
  for (int shift = -kMaxShiftMs / kGridMs; shift <= kMaxShiftMs / kGridMs; ++shift) {
    const double r = Correlation(loud, opening, shift);
    const double doubt = kDoubtPerSecond * std::abs(shift - expected) * kGridMs / 1000.0;
    if (r < kLeastCorrelation || r - doubt <= best) continue;
    best = r - doubt;
    best_shift = shift;
  }
  return best_shift * kGridMs + kMouthLeadMs;
}

void CompletePreparedClip(PreparedClip* clip) {
  const size_t frames = clip->times.size();
  if (clip->landmarks.size() != frames * kPoints * 3) {
    throw Error(Code::kInvalid,
                clip->speaker + "_" + clip->clip + ": " + std::to_string(clip->landmarks.size()) +
                    " landmark numbers, wanted " + std::to_string(frames * kPoints * 3) + " for " +
                    std::to_string(frames) + " frames.");
  }
  clip->measures.clear();
  for (size_t f = 0; f < frames; ++f) {
    float points[kPoints][3];
    std::memcpy(points, clip->landmarks.data() + f * kPoints * 3, sizeof points);
    clip->measures.push_back(MeasureMouth(points));
  }
  clip->mel = MelOf(clip->audio, nullptr);
  clip->offset_ms = MeasureOffset(clip->audio, clip->times, clip->measures);
}

std::string PreparedClipPath(const std::string& folder, const PreparedClip& clip) {
  return folder + "/" + clip.speaker + "_" + clip.clip + ".safetensors";
}

void WritePreparedClip(const std::string& path, const PreparedClip& clip) {
  const auto frames = static_cast<int64_t>(clip.times.size());
  std::vector<float> shape, units;
  for (const MouthMeasure& measure : clip.measures) {
    shape.insert(shape.end(), measure.shape.begin(), measure.shape.end());
    units.insert(units.end(), measure.units.begin(), measure.units.end());
  }
  const std::map<std::string, TensorSource> tensors = {
      {"audio", {DType::kI16, {static_cast<int64_t>(clip.audio.size())}, clip.audio.data()}},
      {"times", {DType::kF64, {frames}, clip.times.data()}},
      {"landmarks",
       {DType::kF32, {frames, static_cast<int64_t>(kPoints), 3}, clip.landmarks.data()}},
      {"shape", {DType::kF32, {frames, kShapes}, shape.data()}},
      {"units", {DType::kF32, {frames, kUnits}, units.data()}},
      {"mel",
       {DType::kF32,
        {static_cast<int64_t>(clip.mel.size()) / speech::kMelBands, speech::kMelBands},
        clip.mel.data()}}};
  WriteSafeTensors(path, tensors,
                   {{"speaker", clip.speaker},
                    {"clip", clip.clip},
                    {"fps", std::to_string(clip.fps)},
                    {"offset_ms", std::to_string(clip.offset_ms)},
                    {"source", clip.source},
                    {"tool", clip.tool}});
}

PreparedClip ReadPreparedClip(const std::string& path) {
  const auto file = SafeTensors::Open(path);
  PreparedClip clip;
  clip.speaker = Meta(*file, "speaker");
  clip.clip = Meta(*file, "clip");
  clip.source = Meta(*file, "source");
  clip.tool = Meta(*file, "tool");
  clip.fps = MetaNumber(*file, "fps");
  clip.offset_ms = MetaNumber(*file, "offset_ms");
  std::vector<float> shape, units;
  Copy(*file, "audio", DType::kI16, {}, &clip.audio);
  const size_t frames = Copy(*file, "times", DType::kF64, {}, &clip.times);
  const auto expect = [&](const char* name, size_t got) {
    if (got != frames) Reject(path, name, std::to_string(frames) + " frames", std::to_string(got));
  };
  expect("landmarks", Copy(*file, "landmarks", DType::kF32, {kPoints, 3}, &clip.landmarks));
  expect("shape", Copy(*file, "shape", DType::kF32, {kShapes}, &shape));
  expect("units", Copy(*file, "units", DType::kF32, {kUnits}, &units));
  Copy(*file, "mel", DType::kF32, {speech::kMelBands}, &clip.mel);
  clip.measures.resize(frames);
  for (size_t f = 0; f < frames; ++f) {
    std::copy_n(shape.begin() + static_cast<ptrdiff_t>(f * kShapes), kShapes,
                clip.measures[f].shape.begin());
    std::copy_n(units.begin() + static_cast<ptrdiff_t>(f * kUnits), kUnits,
                clip.measures[f].units.begin());
  }
  return clip;
}

}  // namespace talkface::auwarp
