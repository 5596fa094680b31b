// SPDX-License-Identifier: MIT
#include "models/families/mftfg/speech/speech_stream.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "models/speech/run_queue.h"
#include "models/torch/threads.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr uint64_t kShowNs = 200'000'000;  // from the portrait to the generated face, and back

using Runs = speech::RunQueue<SpeechRun>;

class SpeechStream : public SpeechModel {
 public:
  SpeechStream(Model model, torch::Device device, const nets::DeviceMemory& memory)
      : model_(std::move(model)),
        device_(device),
        memory_(memory),
        lane_(device, nets::Lane::Urgency::kUrgent),
        shape_{model_->config().window_frames, 0} {
    SetLookAhead(std::numeric_limits<uint64_t>::max());
    Reset();
  }

  void Push(const float* samples, uint64_t count) override { runs_.Push(samples, count); }

  bool Ready(uint64_t time_ns) const override {
    const Runs::Placed& placed = runs_.At(time_ns);
    return placed.run->finished() || placed.run->Has(placed.Within(time_ns), shape_.ahead);
  }

  std::shared_ptr<const FrameControls> Take(uint64_t time_ns) override;

  void SetLookAhead(uint64_t ns) override { shape_.ahead = FramesAhead(ns, shape_.frames); }
  uint64_t LookAhead() const override {
    return kHearingNs + static_cast<uint64_t>(shape_.ahead) * kFrameStepNs;
  }

  void Drain() override { runs_.Drain(); }

  void Interrupt(uint64_t at_ns, uint64_t fade_ns) override {
    runs_.Interrupt(at_ns);
    hide_ns_ = fade_ns;
  }

  void Reset() override {
    runs_.Reset();
    heard_.reset();
    taken_ = false;
    last_ns_ = 0;
    shown_ = 0;
    hide_ns_ = kShowNs;
  }

 private:
  std::shared_ptr<const HeardWindow> Hear(const FrameWindow& window);
  void Show(bool live, uint64_t time_ns);

  Model model_;
  const torch::Device device_;
  const nets::DeviceMemory memory_;
  const nets::Lane lane_;  // of its own, so that streams do not wait for each other
  WindowShape shape_;
  Runs runs_{[] { return std::make_unique<SpeechRun>(); }};

  std::shared_ptr<const HeardWindow> heard_;  // last; kept until it is shown no more
  bool taken_ = false;                        // any frame yet?
  uint64_t last_ns_ = 0;
  float shown_ = 0;
  uint64_t hide_ns_ = kShowNs;  // time from shown to hidden
};

std::shared_ptr<const HeardWindow> SpeechStream::Hear(const FrameWindow& window) {
  const torch::NoGradGuard no_gradients;
  const auto entered = lane_.Enter();
  nets::UseThreads(1);  // a second one costs nets of this size more than it brings
  const int64_t frames = shape_.frames;
  const Tensor columns =
      torch::tensor(window.mfcc)
          .view({1, frames, speech::kMfccRows, speech::kMfccColumns});  // [1, T, 12, 25]
  const Tensor mfcc = nets::SendTo(device_, columns);
  auto heard = std::make_shared<HeardWindow>();
  // The official fusion knows no padding: to it, frames that are not there are silent.
  if (window.valid < frames && !model_->config().official())
    heard->valid =
        nets::SendTo(device_, (torch::arange(frames) < window.valid).unsqueeze(0));  // [1, T]
  heard->audio = model_->audio(mfcc, heard->valid);
  const UnitsOutput units = model_->units(mfcc, heard->valid);
  heard->units = units.features;
  heard->place = window.place;
  heard->ready.Set(lane_);
  if (units.intensities.defined()) {
    const Tensor now = units.intensities[0][window.place].cpu();  // [5]
    heard->intensities.assign(now.const_data_ptr<float>(),
                              now.const_data_ptr<float>() + now.numel());
  }
  return heard;
}

// Moves what is shown towards what is there; the first frame is there at once.
void SpeechStream::Show(bool live, uint64_t time_ns) {
  const uint64_t fade_ns = live ? kShowNs : hide_ns_;
  const uint64_t passed_ns = time_ns - last_ns_;
  const float step = !taken_ || passed_ns >= fade_ns
                         ? 1.0f
                         : static_cast<float>(passed_ns) / static_cast<float>(fade_ns);
  shown_ = std::clamp(shown_ + (live ? step : -step), 0.0f, 1.0f);
  if (live) hide_ns_ = kShowNs;
}

std::shared_ptr<const FrameControls> SpeechStream::Take(uint64_t time_ns) {
  time_ns = std::max(time_ns, last_ns_);
  const Runs::Placed& placed = runs_.Advance(time_ns);
  const uint64_t within = placed.Within(time_ns);
  const bool live = placed.run->Has(within, shape_.ahead);
  if (live) {
    heard_ =
        nets::WithinMemory(memory_, [&] { return Hear(placed.run->WindowAt(within, shape_)); });
  }
  placed.run->Forget(within, shape_);
  Show(live, time_ns);
  if (shown_ <= 0) heard_.reset();
  taken_ = true;
  last_ns_ = time_ns;

  auto controls = std::make_shared<SpeechControls>();
  controls->heard = heard_;
  controls->shown = shown_;
  controls->idle = !live;
  if (model_->config().official()) return controls;
  controls->units.assign(kActionUnits, 0.0f);
  for (size_t i = 0; heard_ && i < controls->units.size(); ++i)
    controls->units[i] = shown_ * heard_->intensities[i];
  return controls;
}

}  // namespace

int64_t FramesAhead(uint64_t look_ahead_ns, int64_t frames) {
  const uint64_t behind = look_ahead_ns - std::min(look_ahead_ns, kHearingNs);
  return static_cast<int64_t>(std::min(behind / kFrameStepNs, static_cast<uint64_t>(frames - 1)));
}

std::unique_ptr<SpeechModel> OpenSpeechStream(Model model, torch::Device device,
                                              const nets::DeviceMemory& memory) {
  return std::make_unique<SpeechStream>(std::move(model), device, memory);
}

}  // namespace talkface::mftfg
