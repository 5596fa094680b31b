// SPDX-License-Identifier: MIT
#include "models/training/speech/speech_score.h"

#include <algorithm>
#include <cmath>

#include "models/families/auwarp/speech/speech_run.h"

namespace talkface::training {
namespace {

struct Moments {
  double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;

  void Add(double x, double y) {
    n += 1;
    a += x;
    b += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  double SpreadA() const { return std::sqrt(std::max(aa / n - a / n * (a / n), 0.0)); }
  double SpreadB() const { return std::sqrt(std::max(bb / n - b / n * (b / n), 0.0)); }
  double Correlation() const {
    const double spread = SpreadA() * SpreadB();
    return spread > 1e-12 ? (ab / n - a / n * (b / n)) / spread : 0.0;
  }
};

constexpr float kClosedShare = 0.35f;

// The opening every step, the longest delay's.
std::vector<float> OpeningsOf(const auwarp::SpeechRun& run, size_t steps) {
  std::vector<float> openings;
  for (size_t step = 0; step < steps; ++step) {
    const uint64_t time = step * auwarp::kStepNs;
    openings.push_back(run.Has(time, auwarp::kDelays - 1) ? run.At(time, auwarp::kDelays - 1)[0]
                                                          : 0.0f);
  }
  return openings;
}

void CountClosures(const auwarp::SpeechRun& run, const std::vector<int>& phones, ClipScore* score) {
  const std::vector<float> openings = OpeningsOf(run, phones.size() + 1);
  std::vector<float> sorted = openings;
  const auto high = sorted.begin() + static_cast<ptrdiff_t>(sorted.size() * 95 / 100);
  std::nth_element(sorted.begin(), high, sorted.end());
  for (size_t begin = 0; begin < phones.size(); ++begin) {
    if (phones[begin] != auwarp::kBilabial) continue;
    size_t end = begin;
    while (end < phones.size() && phones[end] == auwarp::kBilabial) ++end;
    const size_t first = begin > 0 ? begin - 1 : 0, last = std::min(end + 1, openings.size() - 1);
    const float least = *std::min_element(openings.begin() + static_cast<ptrdiff_t>(first),
                                          openings.begin() + static_cast<ptrdiff_t>(last) + 1);
    ++score->closures;
    score->closed += least <= kClosedShare * *high ? 1 : 0;
    begin = end;
  }
}

}  // namespace

ClipScore ScoreClip(std::shared_ptr<const auwarp::SpeechNet> net, const TrainingClip& clip) {
  auwarp::SpeechRun run(std::move(net));
  std::vector<float> samples;
  for (int16_t sample : clip.audio) samples.push_back(static_cast<float>(sample) / 32768.0f);
  run.Push(samples.data(), samples.size());
  run.Finish();
  ClipScore score{};
  CountClosures(run, clip.phones, &score);
  for (int d = 0; d < auwarp::kDelays; ++d) {
    std::array<Moments, auwarp::kOutputs> moments;
    for (size_t f = 0; f < clip.times.size(); ++f) {
      const uint64_t time = static_cast<uint64_t>(std::llround(std::max(clip.times[f], 0.0) * 1e9));
      if (!std::isfinite(clip.frame_targets[f][0]) || !run.Has(time, d)) continue;
      const auwarp::Pose pose = run.At(time, d);
      for (int o = 0; o < auwarp::kOutputs; ++o) moments[o].Add(pose[o], clip.frame_targets[f][o]);
    }
    if (moments[0].n < 2) continue;
    score.opening[d] = moments[0].Correlation();
    score.width[d] = moments[1].Correlation();
    for (int o = 0; o < auwarp::kOutputs; ++o)
      score.liveliness[o] = moments[o].SpreadA() / std::max(moments[o].SpreadB(), 1e-6);
  }
  return score;
}

MeanScore Mean(const std::vector<ClipScore>& scores) {
  MeanScore mean;
  mean.clips = static_cast<int>(scores.size());
  mean.worst_opening = 1;
  const double share = 1.0 / std::max<double>(1, mean.clips);
  for (const ClipScore& score : scores) {
    for (int d = 0; d < auwarp::kDelays; ++d) {
      mean.opening[d] += share * score.opening[d];
      mean.width[d] += share * score.width[d];
    }
    for (int o = 0; o < auwarp::kOutputs; ++o)
      mean.liveliness[o] += share * std::min(score.liveliness[o], 3.0);
    mean.closures += score.closures;
    mean.closed += score.closed;
    mean.worst_opening = std::min(mean.worst_opening, score.opening.back());
  }
  return mean;
}

}  // namespace talkface::training
