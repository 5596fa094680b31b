// SPDX-License-Identifier: MIT
#include "models/auwarp/speech_run.h"

#include <algorithm>

namespace talkface::auwarp {
namespace {

// After 3 s of digital silence nothing in front end, net or gate moves any more: the last row is
// repeated instead.
constexpr int kSettledSteps = 150;
constexpr float kOpeningMin = -0.01f, kOpeningMax = 0.14f;
constexpr float kMaxUnit = 5.0f;
constexpr float kClosing = 1.3f;     // times the probability squared: doubt moves nothing
constexpr float kPressed = -0.003f;  // opening of lips that are shut on purpose

float Mix(float a, float b, float share) { return a + share * (b - a); }

}  // namespace

SpeechRun::SpeechRun(std::shared_ptr<const SpeechNet> net)
    : net_(std::move(net)),
      mean_(net_->typical_mel()),
      gate_(net_->voice() != nullptr),
      state_(net_->NewState()) {
  pending_.reserve(kStepSamples);
  if (net_->voice()) voice_ = std::make_unique<VoiceDetector>(net_->voice());
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
  float mel[kFramesPerStep * kMelBands];
  float level_db = 0;
  for (int f = 0; f < kFramesPerStep; ++f) {
    const MelFrame frame = front_end_.Push(samples + f * kMelHop);
    mean_.Apply(frame, mel + f * kMelBands);
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
  // The step that holds the last sample is in; the longest delay and one step to interpolate to
  // are left.
  const int ahead = kDelaysMs.back() / kStepMs + 1;
  for (int i = 0; i < ahead; ++i) Step(silence.data());
}

bool SpeechRun::Has(uint64_t time_ns, int delay) const {
  const uint64_t grid = time_ns / kStepNs + 1;
  return grid + kDelaysMs[delay] / kStepMs <= first_row_ + rows_.size();
}

// Step s, which ends at (s + 1) x 20 ms, speaks of grid point s + 1 less the delay.
const SpeechRun::Row& SpeechRun::RowOf(uint64_t grid, int delay) const {
  const uint64_t step = grid + kDelaysMs[delay] / kStepMs - 1;
  return rows_[static_cast<size_t>(step - first_row_)];
}

// Lips meet at p, b and m, which a net that was taught curves alone never does; and all of it is at
// rest where the gate is shut.
Pose SpeechRun::PoseOf(const Row& row, int delay) {
  const float gate = row.gate.open[delay];
  const float heard = row.outputs.phones[delay][kBilabial];
  const float closed = std::min(1.0f, kClosing * heard * heard);
  Pose pose;
  std::copy_n(row.outputs.motion[delay].begin(), kOutputs, pose.begin());
  pose[0] = Mix(pose[0], kPressed, closed);
  pose[kShapeOutputs + kAu25] *= 1.0f - closed;
  for (int o = 0; o < kOutputs; ++o) pose[o] *= gate;
  pose[kLevelPlace] = row.gate.level * gate;
  pose[kVoicePlace] = gate;
  // Also where nobody speaks yet or any more: lips that smile again in every pause would flap.
  pose[kSpeechPlace] = 1.0f;
  return pose;
}

Pose SpeechRun::At(uint64_t time_ns, int delay) const {
  const uint64_t grid = time_ns / kStepNs;
  const float share = static_cast<float>(time_ns % kStepNs) / static_cast<float>(kStepNs);
  const Pose before = PoseOf(RowOf(grid, delay), delay);
  const Pose after = PoseOf(RowOf(grid + 1, delay), delay);
  Pose pose;
  for (size_t i = 0; i < pose.size(); ++i) pose[i] = Mix(before[i], after[i], share);
  pose[0] = std::clamp(pose[0], kOpeningMin, kOpeningMax);
  for (int o = kShapeOutputs; o < kOutputs; ++o) pose[o] = std::clamp(pose[o], 0.0f, kMaxUnit);
  return pose;
}

void SpeechRun::Forget(uint64_t time_ns) {
  const uint64_t step = time_ns / kStepNs + kDelaysMs.front() / kStepMs - 1;
  while (first_row_ < step && rows_.size() > 1) {
    rows_.pop_front();
    ++first_row_;
  }
}

}  // namespace talkface::auwarp
