// SPDX-License-Identifier: MIT
// One stretch of uninterrupted speech as MFCC columns, and the windows of frames that are fused.
// Time counts from the run's own first sample.
#pragma once

#include <cstdint>
#include <vector>

#include "models/speech/mfcc.h"

namespace talkface::mftfg {

// Frames that are fused lie this far apart: the official video's 25 a second.
constexpr uint64_t kFrameStepNs = 40'000'000;
// What a frame itself hears behind its time: 12 columns and a half, and 5 ms of rounding.
constexpr uint64_t kHearingNs = 140'000'000;

// How many frames are fused, and how many of them come after the one that is drawn (fewer than
// `frames`).
struct WindowShape {
  int64_t frames = 1;
  int64_t ahead = 0;
};

struct FrameWindow {
  std::vector<float> mfcc;  // [frames, 12, 25]; zeros where no frame is
  int64_t valid = 0;        // frames that are there: the first ones
  int64_t place = 0;        // the drawn frame among them
};

class SpeechRun {
 public:
  // Appends 16 kHz samples (null: silence). Not after Finish.
  void Push(const float* samples, uint64_t count);
  // No more audio will come: windows end here.
  void Finish() { finished_ = true; }
  bool finished() const { return finished_; }
  uint64_t EndNs() const;  // of the audio pushed

  // Is there a frame at `time_ns`, and all that its window may use?
  bool Has(uint64_t time_ns, int64_t ahead) const;
  // The frames at time + 40 ms k that the run has: up to `ahead` after the drawn one, as many
  // before it as fit. Only where Has, and times do not go back by more than Forget allows.
  FrameWindow WindowAt(uint64_t time_ns, const WindowShape& shape) const;
  // Windows of frames before `time_ns` will not be asked for again.
  void Forget(uint64_t time_ns, const WindowShape& shape);
  size_t kept() const { return columns_.size(); }

 private:
  speech::MfccStream stream_;
  std::vector<speech::MfccColumn> columns_;  // from column begin_ on
  int64_t begin_ = 0;
  uint64_t samples_ = 0;  // pushed
  bool finished_ = false;
};

}  // namespace talkface::mftfg
