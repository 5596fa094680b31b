// SPDX-License-Identifier: MIT
#include "models/families/auwarp/speech/speech_stream.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "models/core/falloff.h"
#include "models/families/auwarp/speech/speech_run.h"
#include "models/speech/emphasis.h"
#include "models/speech/run_queue.h"

namespace talkface::auwarp {
namespace {

constexpr uint64_t kFadeNs = 200 * kNsPerMs;
constexpr uint64_t kForeverNs = std::numeric_limits<uint64_t>::max();

using Runs = speech::RunQueue<SpeechRun>;

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
  explicit SpeechStream(std::shared_ptr<const SpeechNet> net)
      : runs_([net = std::move(net)] { return std::make_unique<SpeechRun>(net); }) {
    Reset();
  }

  void Push(const float* samples, uint64_t count) override { runs_.Push(samples, count); }

  bool Ready(uint64_t time_ns) const override {
    const Runs::Placed& placed = runs_.At(time_ns);
    return placed.run->finished() || placed.run->Has(placed.Within(time_ns), delay_);
  }

  std::shared_ptr<const FrameControls> Take(uint64_t time_ns) override;

  // The net's delays are a few: the look-ahead in force is the longest of them that fits.
  void SetLookAhead(uint64_t ns) override {
    delay_ = 0;
    for (int d = 0; d < kDelays; ++d)
      if (LookAheadMs(d) * kNsPerMs <= ns) delay_ = d;
  }
  uint64_t LookAhead() const override { return LookAheadMs(delay_) * kNsPerMs; }

  void Drain() override { runs_.Drain(); }

  void Interrupt(uint64_t at_ns, uint64_t fade_ns) override {
    runs_.Interrupt(at_ns);
    interrupt_at_ns_ = at_ns;
    interrupt_fade_ns_ = fade_ns;
  }

  void Reset() override {
    runs_.Reset();
    started_ = false;
    last_ns_ = 0;
    last_pose_ = Pose{};
    last_pose_[kSpeechPlace] = 1.0f;
    last_source_ = Source{};
    emphasis_ = speech::SpeechEmphasis();
    fade_ns_ = 0;
    interrupt_at_ns_ = kForeverNs;
  }

 private:
  Pose Smooth(const Pose& target, const Source& source, uint64_t time_ns);
  void BeginFade(bool live, uint64_t time_ns);

  Runs runs_;
  int delay_ = kDelays - 1;

  bool started_ = false;  // was a frame taken?
  uint64_t last_ns_ = 0;
  Pose last_pose_{};  // at first lips at rest, out of which motion fades in
  Source last_source_;
  speech::SpeechEmphasis emphasis_;
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
  const Runs::Placed& placed = runs_.Advance(time_ns);
  const uint64_t within = placed.Within(time_ns);
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
