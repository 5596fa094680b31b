// SPDX-License-Identifier: MIT
#include "models/families/auwarp/speech/speech_stream.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

#include "models/core/falloff.h"
#include "models/families/auwarp/speech/speech_run.h"
#include "models/speech/emphasis.h"

namespace talkface::auwarp {
namespace {

constexpr uint64_t kFadeNs = 200 * kNsPerMs;
constexpr uint64_t kForeverNs = std::numeric_limits<uint64_t>::max();

// A run on the stream's clock. Runs follow each other without gap or overlap; only the last is
// open-ended.
struct PlacedRun {
  uint64_t begin_ns;
  uint64_t until_ns;
  uint32_t number;  // tells runs apart
  std::unique_ptr<SpeechRun> run;
};

// Where a frame's motion comes from: a change is faded over.
struct Source {
  bool live = false;
  uint32_t run = 0;
  int delay = 0;
  bool operator!=(const Source& other) const {
    return live != other.live || (live && (run != other.run || delay != other.delay));
  }
};

class SpeechStream : public SpeechModel {
 public:
  explicit SpeechStream(std::shared_ptr<const SpeechNet> net) : net_(std::move(net)) { Reset(); }

  void Push(const float* samples, uint64_t count) override {
    if (count == 0) return;
    PlacedRun& last = runs_.back();
    if (last.run->finished()) Open(last.begin_ns + last.run->EndNs());
    runs_.back().run->Push(samples, count);
  }

  bool Ready(uint64_t time_ns) const override {
    const PlacedRun& placed = RunAt(time_ns);
    return placed.run->finished() || placed.run->Has(Within(placed, time_ns), delay_);
  }

  std::shared_ptr<const FrameControls> Take(uint64_t time_ns) override;

  // The net's delays are a few: the look-ahead in force is the longest of them that fits.
  void SetLookAhead(uint64_t ns) override {
    delay_ = 0;
    for (int d = 0; d < kDelays; ++d)
      if (LookAheadMs(d) * kNsPerMs <= ns) delay_ = d;
  }
  uint64_t LookAhead() const override { return LookAheadMs(delay_) * kNsPerMs; }

  void Drain() override { runs_.back().run->Finish(); }

  void Interrupt(uint64_t at_ns, uint64_t fade_ns) override {
    while (runs_.size() > 1 && runs_.back().begin_ns >= at_ns) runs_.pop_back();
    if (runs_.back().begin_ns >= at_ns) {
      runs_.clear();
    } else {
      // What was said before `at_ns` still stands; the look-ahead it lacks will not come.
      runs_.back().run->Finish();
    }
    Open(at_ns);
    interrupt_at_ns_ = at_ns;
    interrupt_fade_ns_ = fade_ns;
  }

  void Reset() override {
    runs_.clear();
    Open(0);
    started_ = false;
    last_ns_ = 0;
    last_pose_ = Pose{};
    last_pose_[kSpeechPlace] = 1.0f;
    last_source_ = Source{};
    emphasis_ = SpeechEmphasis();
    fade_ns_ = 0;
    interrupt_at_ns_ = kForeverNs;
  }

 private:
  void Open(uint64_t begin_ns) {
    if (!runs_.empty()) runs_.back().until_ns = begin_ns;
    runs_.push_back({begin_ns, kForeverNs, next_number_++, std::make_unique<SpeechRun>(net_)});
  }

  const PlacedRun& RunAt(uint64_t time_ns) const {
    for (const PlacedRun& placed : runs_)
      if (time_ns < placed.until_ns) return placed;
    return runs_.back();
  }

  static uint64_t Within(const PlacedRun& placed, uint64_t time_ns) {
    return time_ns - std::min(time_ns, placed.begin_ns);
  }

  Pose Smooth(const Pose& target, const Source& source, uint64_t time_ns);
  void BeginFade(bool live, uint64_t time_ns);

  std::shared_ptr<const SpeechNet> net_;
  std::deque<PlacedRun> runs_;  // never empty
  uint32_t next_number_ = 0;
  int delay_ = kDelays - 1;

  bool started_ = false;  // was a frame taken?
  uint64_t last_ns_ = 0;
  Pose last_pose_{};  // at first lips at rest, out of which motion fades in
  Source last_source_;
  SpeechEmphasis emphasis_;
  Pose fade_from_pose_{};  // what was shown when the source changed
  uint64_t fade_from_ns_ = 0, fade_ns_ = 0;
  uint64_t interrupt_at_ns_ = kForeverNs, interrupt_fade_ns_ = 0;
};

// The source has changed: what was shown goes over into what is due from here on.
void SpeechStream::BeginFade(bool live, uint64_t time_ns) {
  fade_from_pose_ = last_pose_;
  fade_from_ns_ = last_ns_;
  fade_ns_ = kFadeNs;
  if (interrupt_at_ns_ > time_ns) return;
  if (!live) {
    fade_from_ns_ = std::max(last_ns_, interrupt_at_ns_);
    fade_ns_ = interrupt_fade_ns_;
  }
  interrupt_at_ns_ = kForeverNs;
}

// `target`, soon after a change of source with what was shown before mixed in.
Pose SpeechStream::Smooth(const Pose& target, const Source& source, uint64_t time_ns) {
  if (source != last_source_) BeginFade(source.live, time_ns);
  last_source_ = source;
  const uint64_t since = time_ns - fade_from_ns_;
  if (since >= fade_ns_) return target;
  const float left = 1.0f - SmoothStep(static_cast<float>(since) / static_cast<float>(fade_ns_));
  Pose shown = target;
  for (size_t i = 0; i < shown.size(); ++i) shown[i] += left * (fade_from_pose_[i] - target[i]);
  return shown;
}

std::shared_ptr<const FrameControls> SpeechStream::Take(uint64_t time_ns) {
  time_ns = std::max(time_ns, last_ns_);
  if (!started_) last_ns_ = time_ns;
  while (runs_.front().until_ns <= time_ns) runs_.pop_front();
  const PlacedRun& placed = runs_.front();
  const uint64_t within = Within(placed, time_ns);
  Source source{placed.run->Has(within, delay_), placed.number, delay_};
  const Pose target = source.live ? placed.run->At(within, delay_) : Pose{};
  const Pose pose = Smooth(target, source, time_ns);
  placed.run->Forget(within);
  started_ = true;
  last_ns_ = time_ns;
  last_pose_ = pose;

  auto controls = std::make_shared<AuwarpControls>();
  Expression& out = controls->expression;
  out.opening = pose[0];
  out.width = pose[1];
  out.upper = pose[2];
  out.jaw = pose[3];
  out.speech = pose[kSpeechPlace];
  std::copy_n(pose.begin() + kShapeOutputs, out.units.size(), out.units.begin());
  controls->units.assign(out.units.begin(), out.units.end());
  controls->level = pose[kLevelPlace];
  emphasis_.Advance(time_ns, controls->level, pose[kVoicePlace]);
  controls->emphasis = {emphasis_.liveliness(), emphasis_.stress()};
  controls->idle = !source.live || (placed.run->finished() && within >= placed.run->EndNs());
  return controls;
}

}  // namespace

std::unique_ptr<SpeechModel> OpenSpeechStream(std::shared_ptr<const SpeechNet> net) {
  return std::make_unique<SpeechStream>(std::move(net));
}

}  // namespace talkface::auwarp
