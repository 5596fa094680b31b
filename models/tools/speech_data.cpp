// SPDX-License-Identifier: MIT
#include "models/tools/speech_data.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "models/core/error.h"
#include "models/tools/speech_augment.h"
#include "models/tools/speech_noise.h"

namespace talkface::training {
namespace {

using auwarp::kMelBands;
using auwarp::PreparedClip;

constexpr size_t kManyClips = 20;
constexpr double kLargeOffsetMs = 45;
constexpr int kNoises = 48, kNoiseSamples = 3 * auwarp::kSpeechRateHz;
constexpr double kStepSeconds = auwarp::kStepMs / 1000.0;
// Most of the speech comes from speakers with many clips: one 3 s clip cannot bear more.
constexpr double kManyShare = 6.0, kSomeShare = 1.5, kFewShare = 0.5;

std::vector<std::string> ClipPaths(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".safetensors") paths.push_back(entry.path().string());
  if (paths.empty()) {
    throw Error(
        Code::kNotFound,
        folder + ": holds no prepared clips (*.safetensors); `talkface prepare` makes them.");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

Mel MelRows(const std::vector<float>& flat) {
  Mel mel(flat.size() / kMelBands);
  for (size_t t = 0; t < mel.size(); ++t)
    std::copy_n(flat.begin() + static_cast<ptrdiff_t>(t * kMelBands), kMelBands, mel[t].begin());
  return mel;
}

// Linear between the frames on both sides; NaN beyond them or where one of them is.
std::vector<Target> GridOf(const std::vector<double>& times, const std::vector<Target>& frames,
                           size_t count) {
  Target unknown;
  unknown.fill(std::numeric_limits<float>::quiet_NaN());
  std::vector<Target> grid(count, unknown);
  for (size_t g = 0; g < count; ++g) {
    const double now = static_cast<double>(g) * kStepSeconds;
    const auto after = std::lower_bound(times.begin(), times.end(), now - 1e-6);
    if (after == times.end()) continue;
    const size_t b = static_cast<size_t>(after - times.begin());
    const size_t a = b > 0 && times[b] > now + 1e-6 ? b - 1 : b;
    if (times[a] > now + 1e-6) continue;
    const double span = times[b] - times[a];
    const float share = span > 0 ? static_cast<float>((now - times[a]) / span) : 0.0f;
    for (int o = 0; o < auwarp::kOutputs; ++o)
      grid[g][o] = frames[a][o] + share * (frames[b][o] - frames[a][o]);
  }
  return grid;
}

double Uniform(double low, double high, std::mt19937_64* random) {
  return std::uniform_real_distribution<double>(low, high)(*random);
}

}  // namespace

Target TargetOf(const auwarp::Expression& expression) {
  Target target = {expression.opening, expression.width, expression.upper, expression.jaw};
  std::copy(expression.units.begin(), expression.units.end(),
            target.begin() + auwarp::kShapeOutputs);
  return target;
}

std::vector<TrainingClip> ReadTrainingClips(const std::string& folder, int test_every) {
  std::vector<PreparedClip> prepared;
  for (const std::string& path : ClipPaths(folder)) {
    prepared.push_back(auwarp::ReadPreparedClip(path));
    prepared.back().landmarks = {};
  }
  std::map<std::string, std::vector<auwarp::MouthMeasure>> measures;
  std::map<std::string, size_t> counts, seen;
  for (const PreparedClip& clip : prepared) {
    auto& all = measures[clip.speaker];
    all.insert(all.end(), clip.measures.begin(), clip.measures.end());
    ++counts[clip.speaker];
  }
  std::map<std::string, auwarp::SpeakerNorm> norms;
  for (const auto& [speaker, all] : measures) norms[speaker] = auwarp::MeasureSpeaker(all);

  std::vector<TrainingClip> clips;
  for (const PreparedClip& from : prepared) {
    TrainingClip clip;
    clip.speaker = from.speaker;
    clip.name = from.clip;
    clip.test = test_every > 0 && counts[from.speaker] >= kManyClips &&
                seen[from.speaker]++ % static_cast<size_t>(test_every) == 0;
    clip.mel = MelRows(from.mel);
    clip.audio = from.audio;
    clip.times = from.times;
    if (std::abs(from.offset_ms) > kLargeOffsetMs)
      for (double& time : clip.times) time -= from.offset_ms / 1000.0;
    for (const auto& measure : from.measures)
      clip.frame_targets.push_back(TargetOf(auwarp::MakeExpression(measure, norms[from.speaker])));
    clip.grid = GridOf(clip.times, clip.frame_targets, clip.mel.size() / 2 + 1);
    clips.push_back(std::move(clip));
  }
  return clips;
}

SequenceMaker::SequenceMaker(const std::vector<TrainingClip>& clips,
                             const std::vector<std::string>& held_out, uint64_t seed) {
  std::map<std::string, Speaker> speakers;
  for (const TrainingClip& clip : clips) {
    const bool out = std::find(held_out.begin(), held_out.end(), clip.speaker) != held_out.end();
    if (clip.test || out || clip.mel.size() < 2) continue;
    speakers[clip.speaker].clips.push_back(&clip);
  }
  if (speakers.empty()) throw Error(Code::kInvalid, "No clip is left to train on.");
  for (auto& [name, speaker] : speakers) {
    speaker.name = name;
    const size_t count = speaker.clips.size();
    speaker.share = count >= kManyClips ? kManyShare : count > 2 ? kSomeShare : kFewShare;
    speakers_.push_back(speaker);
  }
  std::mt19937_64 random(seed ^ 0x6e6f697365ull);
  for (int n = 0; n < kNoises; ++n) {
    const std::vector<float> samples = MakeNoise(kNoiseSamples, &random);
    auwarp::SpeechFrontEnd front_end;
    Mel mel;
    for (int at = 0; at + auwarp::kMelHop <= kNoiseSamples; at += auwarp::kMelHop)
      mel.push_back(front_end.Push(samples.data() + at).bands);
    noises_.push_back(std::move(mel));
  }
  typical_mel_ = TypicalMel();
}

std::array<float, kMelBands> SequenceMaker::TypicalMel() const {
  std::array<double, kMelBands> sum{};
  double count = 0;
  for (const Speaker& speaker : speakers_) {
    double frames = 0;
    std::array<double, kMelBands> own{};
    for (const TrainingClip* clip : speaker.clips)
      for (const auto& bands : clip->mel) {
        if (auwarp::LevelOfBands(bands) <= auwarp::kMeanGateDb) continue;
        frames += 1;
        for (int b = 0; b < kMelBands; ++b) own[b] += bands[b];
      }
    if (frames == 0) continue;
    count += speaker.share;
    for (int b = 0; b < kMelBands; ++b) sum[b] += speaker.share * own[b] / frames;
  }
  std::array<float, kMelBands> mean;
  for (int b = 0; b < kMelBands; ++b) mean[b] = static_cast<float>(sum[b] / std::max(count, 1e-9));
  return mean;
}

Target SequenceMaker::Spread() const {
  Target spread;
  for (int o = 0; o < auwarp::kOutputs; ++o) {
    double n = 0, sum = 0, squares = 0;
    for (const Speaker& speaker : speakers_)
      for (const TrainingClip* clip : speaker.clips)
        for (const Target& target : clip->grid) {
          if (!std::isfinite(target[o])) continue;
          n += 1;
          sum += target[o];
          squares += static_cast<double>(target[o]) * target[o];
        }
    const double mean = sum / std::max(n, 1.0);
    spread[o] =
        static_cast<float>(std::sqrt(std::max(squares / std::max(n, 1.0) - mean * mean, 1e-8)));
  }
  return spread;
}

const SequenceMaker::Speaker& SequenceMaker::PickSpeaker(std::mt19937_64* random) const {
  double place = 0;
  for (const Speaker& speaker : speakers_) place += speaker.share;
  place = Uniform(0, place, random);
  for (const Speaker& speaker : speakers_) {
    place -= speaker.share;
    if (place <= 0) return speaker;
  }
  return speakers_.back();
}

Sequence SequenceMaker::Make(int steps, std::mt19937_64* random) const {
  constexpr double kNoiseShare = 0.12, kSilenceShare = 0.10, kChangeShare = 0.4;
  // Half of the sequences stay as they were recorded: changing all of them costs more on clean
  // speech than it gains in noise.
  constexpr double kCleanShare = 0.5;
  constexpr float kRestWeight = 0.5f;
  Mel mel;
  Sequence sequence;
  const size_t frames = static_cast<size_t>(steps) * auwarp::kFramesPerStep;
  // One microphone a sequence, and mostly one speaker: that is what a stream is.
  const Microphone microphone = DrawMicrophone(random);
  const bool clean = Uniform(0, 1, random) < kCleanShare;
  const Speaker* speaker = &PickSpeaker(random);
  while (mel.size() < frames) {
    const double kind = Uniform(0, 1, random);
    if (kind < kNoiseShare + kSilenceShare) {
      const size_t count = 2 * static_cast<size_t>(Uniform(10, 100, random));
      std::array<float, kMelBands> silence;
      silence.fill(std::log(1e-8f));
      const Mel& noise = noises_[std::uniform_int_distribution<size_t>(0, kNoises - 1)(*random)];
      for (size_t t = 0; t < count; ++t) mel.push_back(kind < kNoiseShare ? noise[t] : silence);
      sequence.target.resize(mel.size() / 2, Target{});
      sequence.weight.resize(mel.size() / 2, kRestWeight);
      continue;
    }
    if (Uniform(0, 1, random) < kChangeShare) speaker = &PickSpeaker(random);
    const TrainingClip& clip =
        *speaker
             ->clips[std::uniform_int_distribution<size_t>(0, speaker->clips.size() - 1)(*random)];
    const Mel& noise = noises_[std::uniform_int_distribution<size_t>(0, kNoises - 1)(*random)];
    const Mel changed = clean ? clip.mel : Augment(clip.mel, noise, microphone, random);
    // Clips begin at any step of their first second, so that beginnings are not learnt by heart.
    const size_t first = static_cast<size_t>(Uniform(0, 50, random));
    for (size_t s = first; s < clip.mel.size() / 2; ++s) {
      mel.push_back(changed[2 * s]);
      mel.push_back(changed[2 * s + 1]);
      const Target& target = clip.grid[s + 1];
      const bool known = std::isfinite(target[0]);
      sequence.target.push_back(known ? target : Target{});
      sequence.weight.push_back(known ? 1.0f : 0.0f);
    }
  }
  mel.resize(frames);
  sequence.target.resize(static_cast<size_t>(steps));
  sequence.weight.resize(static_cast<size_t>(steps));
  auwarp::RunningMean mean(typical_mel_.data());
  sequence.mel.resize(frames * kMelBands);
  for (size_t t = 0; t < frames; ++t)
    mean.Apply({mel[t], auwarp::LevelOfBands(mel[t])}, sequence.mel.data() + t * kMelBands);
  return sequence;
}

}  // namespace talkface::training
