// SPDX-License-Identifier: MIT
#include "models/families/auwarp/speech/speech_run.h"

#include <algorithm>

#include "models/core/falloff.h"

namespace talkface::auwarp {
namespace {

// After 3 s of digital silence nothing in front end, net or gate moves any more: the last row is
// repeated instead.
constexpr int kSettledSteps = 150;
constexpr float kOpeningMin = -0.01f, kOpeningMax = 0.14f;
constexpr float kMaxUnit = 5.0f;
constexpr float kDoubt = 0.35f,
                kCertainty = 0.65f;    // of a closure: it begins to close lips, and has
constexpr float kEarlierShare = 0.4f;  // of what was said with less of the future heard
constexpr float kPressed = -0.003f;    // opening of lips that are shut on purpose
// The curves follow the kind of sound too timidly. What a probability of 1 adds to them, in face
// heights (docs/training.md): lips at rest, on the teeth and rounded are less open, rounded
// narrower.
constexpr std::array<float, kPhones> kOpeningOfKind = {-0.015f, 0, -0.015f, -0.015f, 0, 0};
constexpr float kRoundedWidth = -0.03f;
// Lips may part ahead of a stream's first voice, but hum is as quiet as they are: no further.
constexpr float kUnheardOpening = 0.0095f;

float Mix(float a, float b, float share) { return a + share * (b - a); }

}  // namespace

SpeechRun::SpeechRun(std::shared_ptr<const SpeechNet> net)
    : net_(std::move(net)),
      mean_(net_->typical_mel()),
      gate_(net_->voice() != nullptr, {kDelaysMs.begin(), kDelaysMs.end()}),
      state_(net_->NewState()) {
  pending_.reserve(kStepSamples);
  if (net_->voice()) voice_ = std::make_unique<speech::VoiceDetector>(net_->voice());
}

void SpeechRun::Push(const float* samples, uint64_t count) {
  samples_ += count;
  while (count > 0) {
    const uint64_t part = std::min<uint64_t>(count, kStepSamples - pending_.size());
    if (samples != nullptr) {
      pending_.insert(pending_.end(), samples, samples + part);
      samples += part;
    } else {
      pending_.insert(pending_.end(), part, 0.0f);
    }
    count -= part;
    if (pending_.size() < kStepSamples) return;
    Step(pending_.data());
    pending_.clear();
  }
}

void SpeechRun::Step(const float* samples) {
  const bool silent = std::all_of(samples, samples + kStepSamples, [](float s) { return s == 0; });
  silent_steps_ = silent ? std::min(silent_steps_ + 1, kSettledSteps + 1) : 0;
  if (silent_steps_ > kSettledSteps && !rows_.empty()) {
    rows_.push_back(rows_.back());
    return;
  }
  float mel[kFramesPerStep * speech::kMelBands];
  float level_db = 0;
  for (int f = 0; f < kFramesPerStep; ++f) {
    const speech::MelFrame frame = front_end_.Push(samples + f * speech::kMelHop);
    mean_.Apply(frame, mel + f * speech::kMelBands);
    level_db += frame.level_db / kFramesPerStep;
  }
  Row row;
  row.outputs = net_->Step(mel, &state_);
  row.gate = gate_.Step(level_db, voice_ ? voice_->Push(samples, kStepSamples) : 1.0f);
  rows_.push_back(row);
}

void SpeechRun::Finish() {
  if (finished_) return;
  finished_ = true;
  const uint64_t rest = kStepSamples - pending_.size();
  const std::vector<float> silence(kStepSamples, 0.0f);
  pending_.insert(pending_.end(), rest, 0.0f);
  Step(pending_.data());
  pending_.clear();
  // The step that holds the last sample is in; what lies behind it is left.
  const int ahead = (LookAheadMs(kDelays - 1) + kStepMs - 1) / kStepMs;
  for (int i = 0; i < ahead; ++i) Step(silence.data());
}

bool SpeechRun::Has(uint64_t time_ns, int delay) const {
  const uint64_t grid = GridOf(time_ns) + 1;
  return grid + kDelaysMs[delay] / kStepMs <= first_row_ + rows_.size();
}

// Step s, which ends at (s + 1) x 20 ms, speaks of grid point s + 1 less the delay.
const SpeechRun::Row& SpeechRun::RowOf(uint64_t grid, int delay) const {
  const uint64_t step = grid + kDelaysMs[delay] / kStepMs - 1;
  return rows_[static_cast<size_t>(step - first_row_)];
}

// The net has spoken of this moment before, with less of the future heard: both answers together
// err less than the last.
SpeechRun::Answer SpeechRun::AnswerOf(uint64_t grid, int delay) const {
  const int earlier = std::max(0, delay - 1);
  const Row& row = RowOf(grid, delay);
  const SpeechOutput &last = row.outputs, &before = RowOf(grid, earlier).outputs;
  Answer answer{};
  for (int o = 0; o < kOutputs; ++o)
    answer.motion[o] = Mix(last.motion[delay][o], before.motion[earlier][o], kEarlierShare);
  std::array<float, kPhones> kinds;
  for (int k = 0; k < kPhones; ++k)
    kinds[k] = Mix(last.phones[delay][k], before.phones[earlier][k], kEarlierShare);
  float opening = answer.motion[0];
  for (int k = 0; k < kPhones; ++k) opening += kOpeningOfKind[k] * kinds[k];
  answer.motion[0] = std::max(std::min(answer.motion[0], 0.0f), opening);  // that presses no lips
  answer.motion[1] += kRoundedWidth * kinds[kRounded];
  if (!row.gate.heard) answer.motion[0] = std::min(answer.motion[0], kUnheardOpening);
  answer.closure = kinds[kBilabial];
  answer.gate = row.gate.open[delay];
  answer.level = row.gate.level * answer.gate;
  return answer;
}

Pose SpeechRun::At(uint64_t time_ns, int delay) const {
  const uint64_t grid = GridOf(time_ns);
  const uint64_t beyond = time_ns + kTrackerLagMs * kNsPerMs - grid * kStepNs;
  const float share = static_cast<float>(beyond) / static_cast<float>(kStepNs);
  const Answer before = AnswerOf(grid, delay), after = AnswerOf(grid + 1, delay);
  const float gate = Mix(before.gate, after.gate, share);
  // Lips meet at p, b and m, which a net that was taught curves alone never does.
  const float closed = SmoothStep(kDoubt, kCertainty, Mix(before.closure, after.closure, share));
  Pose pose;
  for (int o = 0; o < kOutputs; ++o) pose[o] = Mix(before.motion[o], after.motion[o], share);
  pose[0] = Mix(std::clamp(pose[0], kOpeningMin, kOpeningMax), kPressed, closed);
  pose[kShapeOutputs + kAu25] *= 1.0f - closed;
  for (int o = kShapeOutputs; o < kOutputs; ++o) pose[o] = std::clamp(pose[o], 0.0f, kMaxUnit);
  // All of it is at rest where the gate is shut.
  for (int o = 0; o < kOutputs; ++o) pose[o] *= gate;
  pose[kLevelPlace] = Mix(before.level, after.level, share);
  pose[kVoicePlace] = gate;
  // Also where nobody speaks yet or any more: lips that smile again in every pause would flap.
  pose[kSpeechPlace] = 1.0f;
  return pose;
}

void SpeechRun::Forget(uint64_t time_ns) {
  const uint64_t step = GridOf(time_ns) + kDelaysMs.front() / kStepMs - 1;
  while (first_row_ < step && rows_.size() > 1) {
    rows_.pop_front();
    ++first_row_;
  }
}

}  // namespace talkface::auwarp
