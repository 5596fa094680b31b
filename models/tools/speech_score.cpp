// SPDX-License-Identifier: MIT
#include "models/tools/speech_score.h"

#include <algorithm>
#include <cmath>

#include "models/auwarp/speech_run.h"

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

}  // namespace

ClipScore ScoreClip(std::shared_ptr<const auwarp::SpeechNet> net, const TrainingClip& clip) {
  auwarp::SpeechRun run(std::move(net));
  std::vector<float> samples;
  for (int16_t sample : clip.audio) samples.push_back(static_cast<float>(sample) / 32768.0f);
  run.Push(samples.data(), samples.size());
  run.Finish();
  ClipScore score{};
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
    mean.worst_opening = std::min(mean.worst_opening, score.opening.back());
  }
  return mean;
}

}  // namespace talkface::training
