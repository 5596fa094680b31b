// SPDX-License-Identifier: MIT
#include "models/families/fake/speech.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace talkface::fake {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint32_t kHashStart = 2166136261u;  // FNV-1a
constexpr uint32_t kHashPrime = 16777619u;

class FakeSpeech : public SpeechModel {
 public:
  FakeSpeech(const PackTiming& timing, const Config& config)
      : timing_(timing),
        config_(config),
        look_ahead_ns_(timing.look_ahead_default_ms * kMillisecond) {}

  void Push(const float* samples, uint64_t count) override {
    drained_ = false;  // speech goes on where it stopped: what Drain stood for is over
    for (uint64_t i = 0; i < count; ++i) {
      const float sample = samples != nullptr ? samples[i] : 0.0f;
      samples_.push_back(std::isfinite(sample) ? sample : 0.0f);
    }
  }

  bool Ready(uint64_t time_ns) const override {
    return drained_ || End() >= Position(time_ns + look_ahead_ns_);
  }

  std::shared_ptr<const FrameControls> Take(uint64_t time_ns) override {
    if (config_.fail_speech_at_ms >= 0 &&
        time_ns >= static_cast<uint64_t>(config_.fail_speech_at_ms) * kMillisecond) {
      throw Error(Code::kFailed, "The fake speech net failed, as its pack asked.");
    }
    auto controls = std::make_shared<FakeControls>();
    controls->units.assign(config_.has_units ? 2 : 0, 0.0f);
    controls->idle = !Ready(time_ns);
    if (!controls->idle)
      Hash(Position(time_ns), Position(time_ns + look_ahead_ns_), controls.get());
    Forget(Position(time_ns));
    return controls;
  }

  void SetLookAhead(uint64_t ns) override {
    look_ahead_ns_ = std::clamp<uint64_t>(ns, timing_.look_ahead_min_ms * kMillisecond,
                                          timing_.look_ahead_max_ms * kMillisecond);
  }
  uint64_t LookAhead() const override { return look_ahead_ns_; }
  void Drain() override { drained_ = true; }

  void Interrupt(uint64_t at_ns, uint64_t fade_ns) override {
    const uint64_t at = std::max(Position(at_ns), begin_);
    samples_.resize(static_cast<size_t>(at - begin_), 0.0f);
    drained_ = false;
  }

  void Reset() override {
    samples_.clear();
    begin_ = 0;
    drained_ = false;
  }

 private:
  uint64_t Position(uint64_t ns) const {
    return static_cast<uint64_t>(static_cast<__uint128_t>(ns) * timing_.sample_rate_hz / kSecond);
  }
  uint64_t End() const { return begin_ + samples_.size(); }

  // FNV-1a over the samples' bits in [from, to); samples beyond the end are silence.
  void Hash(uint64_t from, uint64_t to, FakeControls* controls) const {
    uint32_t hash = kHashStart;
    double level = 0;
    for (uint64_t i = from; i < to; ++i) {
      const float sample =
          i >= begin_ && i < End() ? samples_[static_cast<size_t>(i - begin_)] : 0.0f;
      uint32_t bits = 0;
      std::memcpy(&bits, &sample, sizeof bits);
      hash = (hash ^ bits) * kHashPrime;
      level += std::abs(sample);
    }
    controls->hash = hash;
    level = to > from ? 5.0 * level / static_cast<double>(to - from) : 0.0;
    std::fill(controls->units.begin(), controls->units.end(),
              static_cast<float>(std::min(level, 5.0)));
  }

  // Drops samples before `position`: times do not go back.
  void Forget(uint64_t position) {
    const uint64_t count =
        std::min<uint64_t>(position > begin_ ? position - begin_ : 0, samples_.size());
    if (count < timing_.sample_rate_hz) return;
    samples_.erase(samples_.begin(), samples_.begin() + static_cast<ptrdiff_t>(count));
    begin_ += count;
  }

  const PackTiming timing_;
  const Config config_;
  uint64_t look_ahead_ns_;
  std::vector<float> samples_;  // from position begin_ on
  uint64_t begin_ = 0;
  bool drained_ = false;
};

}  // namespace

std::unique_ptr<SpeechModel> OpenSpeech(const PackTiming& timing, const Config& config) {
  return std::make_unique<FakeSpeech>(timing, config);
}

}  // namespace talkface::fake
