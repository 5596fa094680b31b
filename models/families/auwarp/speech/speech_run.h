// SPDX-License-Identifier: MIT
// One stretch of uninterrupted speech: samples go through front end, net and gate in steps of
// 20 ms, and what comes out is kept until its time has passed. Time here counts from the run's own
// first sample.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "models/families/auwarp/expression.h"
#include "models/families/auwarp/speech/speech_net.h"
#include "models/speech/gate.h"
#include "models/speech/log_mel.h"

namespace talkface::auwarp {

constexpr uint64_t kNsPerMs = 1'000'000;
constexpr uint64_t kStepNs = kStepMs * kNsPerMs;
constexpr int kStepSamples = speech::kSpeechRateHz / 1000 * kStepMs;
constexpr uint64_t kNsPerSample = 1'000'000'000 / speech::kSpeechRateHz;
// The landmark tracker whose curves the net has learnt follows a mouth 10 ms late (measured on
// drawn mouths whose opening is known): what the net says of t + 10 ms was there at t.
constexpr int kTrackerLagMs = 10;

// Sound behind a moment that its motion needs, `delay` being an index into kDelaysMs: that much and
// one step to interpolate to.
constexpr int LookAheadMs(int delay) {
  return kDelaysMs[static_cast<size_t>(delay)] + kStepMs + kTrackerLagMs;
}

// What the mouth does at one moment: the net's outputs in its order, gated and held in range, then
// two of the gate's, then 1: there is sound to follow. All zero is the portrait as it is.
constexpr int kLevelPlace = kOutputs;      // loudness 0..1
constexpr int kVoicePlace = kOutputs + 1;  // 0 (nobody speaks) to 1
constexpr int kSpeechPlace = kOutputs + 2;
using Pose = std::array<float, kOutputs + 3>;

class SpeechRun {
 public:
  explicit SpeechRun(std::shared_ptr<const SpeechNet> net);

  // Appends samples (null: silence). Not after Finish.
  void Push(const float* samples, uint64_t count);
  // No more audio will come: computes what is left with silence after the end.
  void Finish();
  bool finished() const { return finished_; }
  uint64_t EndNs() const { return samples_ * kNsPerSample; }  // of the audio pushed

  // Is the motion at `time_ns` known, `delay` being an index into kDelaysMs?
  bool Has(uint64_t time_ns, int delay) const;
  // The motion at `time_ns`, linear between steps. Only where Has and not yet forgotten.
  Pose At(uint64_t time_ns, int delay) const;
  // Motion before `time_ns` will not be asked for again.
  void Forget(uint64_t time_ns);
  size_t kept() const { return rows_.size(); }

 private:
  struct Row {
    SpeechNet::Output outputs;
    speech::GateValue gate;
  };
  // What is known of a moment.
  struct Answer {
    std::array<float, kOutputs> motion;
    float closure;      // probability of p, b or m
    float gate, level;  // both 0..1
  };
  Answer AnswerOf(uint64_t grid, int delay) const;
  void Step(const float* samples);
  static uint64_t GridOf(uint64_t time_ns) {
    return (time_ns + kTrackerLagMs * kNsPerMs) / kStepNs;
  }
  const Row& RowOf(uint64_t grid, int delay) const;

  std::shared_ptr<const SpeechNet> net_;
  speech::SpeechFrontEnd front_end_;
  speech::RunningMean mean_;
  std::unique_ptr<speech::VoiceDetector> voice_;  // null: the pack has none
  speech::SpeechGate gate_;
  SpeechNet::State state_;
  std::vector<float> pending_;  // samples of a step begun
  uint64_t samples_ = 0;        // pushed
  std::deque<Row> rows_;        // of steps first_row_ on
  uint64_t first_row_ = 0;
  int silent_steps_ = 0;  // of digital silence, up to now
  bool finished_ = false;
};

}  // namespace talkface::auwarp
