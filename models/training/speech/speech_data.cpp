// SPDX-License-Identifier: MIT
#include "models/training/speech/speech_data.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "models/core/error.h"
#include "models/training/speech/random.h"
#include "models/training/speech/speech_augment.h"
#include "models/training/speech/speech_noise.h"

namespace talkface::training {
namespace {

using auwarp::PreparedClip;
using speech::kMelBands;

constexpr size_t kManyClips = 20;
constexpr double kLargeOffsetMs = 45;
constexpr int kNoises = 48, kNoiseSamples = 3 * speech::kSpeechRateHz;
constexpr double kStepSeconds = auwarp::kStepMs / 1000.0;
// Most of the speech comes from speakers with many clips: one 3 s clip cannot bear more.
constexpr double kManyShare = 6.0, kSomeShare = 1.5, kFewShare = 0.5;
constexpr float kRestWeight = 0.5f;

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

const TrainingClip& PickClip(const std::vector<const TrainingClip*>& clips,
                             std::mt19937_64* random) {
  return *clips[std::uniform_int_distribution<size_t>(0, clips.size() - 1)(*random)];
}

enum class ClipUse { kTrain, kTest, kLeaveOut };

// Of a speaker's clip number `number`.
ClipUse UseOf(size_t number, const TestChoice& choice) {
  const size_t every = static_cast<size_t>(choice.every);
  if (every == 0) return ClipUse::kTrain;
  const bool test = number % every == 0, between = every > 1 && number % every == every / 2;
  if (!choice.validate) return test ? ClipUse::kTest : ClipUse::kTrain;
  return test ? ClipUse::kLeaveOut : between ? ClipUse::kTest : ClipUse::kTrain;
}

bool Rests(const TrainingClip& clip) {
  return std::all_of(clip.phones.begin(), clip.phones.end(), [](int phone) { return phone == 0; });
}

}  // namespace

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

Mel MelOf(const std::vector<int16_t>& audio) {
  speech::SpeechFrontEnd front_end;
  Mel mel;
  float hop[speech::kMelHop];
  for (size_t at = 0; at + speech::kMelHop <= audio.size(); at += speech::kMelHop) {
    for (int i = 0; i < speech::kMelHop; ++i) hop[i] = static_cast<float>(audio[at + i]) / 32768.0f;
    mel.push_back(front_end.Push(hop).bands);
  }
  return mel;
}

Target TargetOf(const auwarp::Expression& expression) {
  Target target = {expression.opening, expression.width, expression.upper, expression.jaw};
  std::copy(expression.units.begin(), expression.units.end(),
            target.begin() + auwarp::kShapeOutputs);
  return target;
}

std::vector<TrainingClip> ReadTrainingClips(const std::string& folder, const TestChoice& choice) {
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
    const ClipUse use =
        counts[from.speaker] >= kManyClips ? UseOf(seen[from.speaker]++, choice) : ClipUse::kTrain;
    if (use == ClipUse::kLeaveOut) continue;
    clip.test = use == ClipUse::kTest;
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
    if (!clip.times.empty())
      speakers[clip.speaker].clips.push_back(&clip);
    else
      (Rests(clip) ? music_ : voices_).push_back(&clip);
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
    speech::SpeechFrontEnd front_end;
    Mel mel;
    for (int at = 0; at + speech::kMelHop <= kNoiseSamples; at += speech::kMelHop)
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
        if (speech::LevelOfBands(bands) <= speech::kMeanGateDb) continue;
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

// A sequence while it is put together.
struct SequenceMaker::Draft {
  Mel mel;
  Sequence sequence;
  // One microphone a sequence: that is what a stream has.
  Microphone microphone;
  bool clean;

  void Add(const Mel& from, size_t step, const Target& target, float weight, int phone) {
    mel.push_back(from[2 * step]);
    mel.push_back(from[2 * step + 1]);
    sequence.target.push_back(target);
    sequence.weight.push_back(weight);
    sequence.phone.push_back(phone);
  }
};

const Mel& SequenceMaker::PickNoise(std::mt19937_64* random) const {
  return noises_[std::uniform_int_distribution<size_t>(0, noises_.size() - 1)(*random)];
}

// Silence or noise, at which the mouth rests.
void SequenceMaker::AddRest(bool silent, std::mt19937_64* random, Draft* draft) const {
  const size_t steps = static_cast<size_t>(Uniform(10, 100, random));
  Mel silence(2 * steps);
  for (auto& bands : silence) bands.fill(std::log(1e-8f));
  const Mel& from = silent ? silence : PickNoise(random);
  for (size_t s = 0; s < steps; ++s) draft->Add(from, s, Target{}, kRestWeight, 0);
}

// Clips begin at any step of their first second, so that beginnings are not learnt by heart; of
// long sounds a part is taken.
void SequenceMaker::AddClip(const TrainingClip& clip, std::mt19937_64* random, Draft* draft) const {
  const bool pictured = !clip.times.empty();
  size_t first = static_cast<size_t>(Uniform(0, 50, random));
  size_t last = clip.mel.size() / 2;
  if (!pictured) {
    const size_t span = static_cast<size_t>(Uniform(50, 200, random));
    first =
        static_cast<size_t>(Uniform(0, static_cast<double>(last - std::min(last, span)), random));
    last = std::min(last, first + span);
  }
  first = std::min(first, last);
  const Mel cut(clip.mel.begin() + static_cast<ptrdiff_t>(2 * first),
                clip.mel.begin() + static_cast<ptrdiff_t>(2 * last));
  if (cut.empty()) return;
  const bool clean = draft->clean && pictured;
  const Mel changed = clean ? cut : Augment(cut, PickNoise(random), draft->microphone, random);
  for (size_t s = first; s < last; ++s) {
    const Target& target = clip.grid[s + 1];
    const bool known = std::isfinite(target[0]);
    const float weight = !known ? 0.0f : pictured ? 1.0f : kRestWeight;
    const int phone = s < clip.phones.size() ? clip.phones[s] : -1;
    draft->Add(changed, s - first, known ? target : Target{}, weight, phone);
  }
}

Sequence SequenceMaker::Make(int steps, std::mt19937_64* random) const {
  constexpr double kNoiseShare = 0.06, kSilenceShare = 0.08, kMusicShare = 0.06;
  constexpr double kVoiceShare = 0.20, kChangeShare = 0.4;
  // Half of the sequences stay as they were recorded: changing all of them costs more on clean
  // speech than it gains in noise.
  constexpr double kCleanShare = 0.5;
  const size_t frames = static_cast<size_t>(steps) * auwarp::kFramesPerStep;
  Draft draft{{}, {}, DrawMicrophone(random), Uniform(0, 1, random) < kCleanShare};
  const Speaker* speaker = &PickSpeaker(random);  // mostly one, as in a stream
  while (draft.mel.size() < frames) {
    double kind = Uniform(0, 1, random);
    if (kind < kNoiseShare + kSilenceShare) {
      AddRest(kind < kSilenceShare, random, &draft);
      continue;
    }
    kind -= kNoiseShare + kSilenceShare;
    if (kind < kMusicShare && !music_.empty()) {
      AddClip(PickClip(music_, random), random, &draft);
    } else if (kind >= kMusicShare && kind < kMusicShare + kVoiceShare && !voices_.empty()) {
      AddClip(PickClip(voices_, random), random, &draft);
    } else {
      if (Uniform(0, 1, random) < kChangeShare) speaker = &PickSpeaker(random);
      AddClip(PickClip(speaker->clips, random), random, &draft);
    }
  }
  Sequence sequence = std::move(draft.sequence);
  sequence.target.resize(static_cast<size_t>(steps));
  sequence.weight.resize(static_cast<size_t>(steps));
  sequence.phone.resize(static_cast<size_t>(steps));
  speech::RunningMean mean(typical_mel_.data());
  sequence.mel.resize(frames * kMelBands);
  for (size_t t = 0; t < frames; ++t)
    mean.Apply({draft.mel[t], speech::LevelOfBands(draft.mel[t])},
               sequence.mel.data() + t * kMelBands);
  return sequence;
}

}  // namespace talkface::training
