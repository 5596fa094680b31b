// SPDX-License-Identifier: MIT
#include "models/families/mftfg/speech/speech_run.h"

#include <algorithm>
#include <array>

#include "models/families/mftfg/config.h"

namespace talkface::mftfg {
namespace {

constexpr uint64_t kSampleNs = 1'000'000'000 / speech::kMfccRate;
constexpr int64_t kSpareColumns = 1000;  // are let go together: moving the rest costs more

}  // namespace

void SpeechRun::Push(const float* samples, uint64_t count) {
  constexpr uint64_t kPiece = 1024;
  static constexpr std::array<float, kPiece> kSilence{};
  samples_ += count;
  if (samples != nullptr) return stream_.Push(samples, count, &columns_);
  for (uint64_t done = 0; done < count; done += kPiece)
    stream_.Push(kSilence.data(), std::min(kPiece, count - done), &columns_);
}

uint64_t SpeechRun::EndNs() const { return samples_ * kSampleNs; }

bool SpeechRun::Has(uint64_t time_ns, int64_t ahead) const {
  if (finished_) return time_ns < EndNs();
  const uint64_t last_ns = time_ns + static_cast<uint64_t>(ahead) * kFrameStepNs;
  const int64_t end = begin_ + static_cast<int64_t>(columns_.size());
  return speech::FirstColumnAt(last_ns) + speech::kMfccColumns <= end;
}

FrameWindow SpeechRun::WindowAt(uint64_t time_ns, const WindowShape& shape) const {
  const uint64_t phase_ns = time_ns % kFrameStepNs;
  const auto frame = static_cast<int64_t>(time_ns / kFrameStepNs);
  int64_t last = frame + shape.ahead;
  if (finished_)
    last = std::min(last, static_cast<int64_t>((EndNs() - phase_ns - 1) / kFrameStepNs));
  const int64_t first = std::max<int64_t>(0, last - shape.frames + 1);
  FrameWindow window;
  window.valid = last - first + 1;
  window.place = frame - first;
  for (int64_t i = first; i <= last; ++i) {
    const uint64_t at_ns = phase_ns + static_cast<uint64_t>(i) * kFrameStepNs;
    const std::vector<float> heard =
        speech::MfccWindow(columns_, begin_, speech::FirstColumnAt(at_ns));
    window.mfcc.insert(window.mfcc.end(), heard.begin(), heard.end());
  }
  window.mfcc.resize(static_cast<size_t>(shape.frames * speech::kMfccRows * speech::kMfccColumns),
                     0.0f);
  return window;
}

void SpeechRun::Forget(uint64_t time_ns, const WindowShape& shape) {
  const uint64_t reach_ns = static_cast<uint64_t>(shape.frames) * kFrameStepNs;
  const int64_t spare = speech::FirstColumnAt(time_ns - std::min(time_ns, reach_ns)) - begin_;
  if (spare < kSpareColumns) return;
  // Where speech has run out, time goes on without columns.
  const int64_t gone = std::min(spare, static_cast<int64_t>(columns_.size()));
  columns_.erase(columns_.begin(), columns_.begin() + gone);
  begin_ += gone;
}

}  // namespace talkface::mftfg
