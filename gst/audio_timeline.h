// SPDX-License-Identifier: MIT
// Turns timestamped audio buffers into one contiguous run of mono float samples at the engine's
// rate. A sample's place follows from its timestamp: holes become silence, overlaps are dropped,
// jitter is taken as contiguous. What comes out depends on the audio alone, never on how it was
// cut into buffers: the resampler is fed blocks of a fixed size.
//
// Times are offsets in nanoseconds from the start of the segment. Not thread-safe.
#pragma once

#include <gst/audio/audio.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "gst/frame_clock.h"

namespace talkface {

// Where a buffer belongs.
struct AudioPlace {
  bool timed = false;             // otherwise it follows the buffer before it
  int64_t at_ns = 0;              // of its first sample
  int64_t start_ns = 0;           // what is before it is cut off
  bool discont = false;           // the time is exact: no jitter is forgiven
  uint64_t duration_ns = 0;       // of a gap without samples
  uint64_t stop_ns = UINT64_MAX;  // what is after it is cut off
};

// Contiguous output: samples, or that much silence.
struct AudioBlock {
  std::vector<float> samples;
  uint64_t silence = 0;
  uint64_t count() const { return samples.empty() ? silence : samples.size(); }
};

class AudioTimeline {
 public:
  // Differences of timestamps up to this are jitter; a larger one moves the audio.
  static constexpr uint64_t kJitterNs = 40'000'000;

  explicit AudioTimeline(uint32_t out_rate_hz);
  ~AudioTimeline();
  AudioTimeline(const AudioTimeline&) = delete;
  AudioTimeline& operator=(const AudioTimeline&) = delete;

  // The format of the buffers to come; drains the resampler of the former. False: GStreamer cannot
  // convert it.
  bool SetFormat(const GstAudioInfo& info);
  bool HasFormat() const { return converter_ != nullptr; }

  // Forgets all; the first sample out is at `at_ns`, and so is what is pushed next without a time.
  void Restart(uint64_t at_ns);
  // Forgets what has not been taken; the next sample out is at `at_ns` on the same count.
  void Rewind(uint64_t at_ns);
  // The next buffer's time is exact.
  void Resync() { exact_ = true; }

  // Appends the samples of `buffer`, or silence for one that is flagged GAP or has no memory.
  // False: it cannot be read in the format that was set.
  bool Push(GstBuffer* buffer, const AudioPlace& place);
  // Takes what the resampler still holds, so that all audio pushed so far is in the output, to the
  // sample.
  void Drain();

  // The oldest output, at most `max` samples of it where it is silence; false: none is left.
  bool Take(uint64_t max, AudioBlock* out);
  bool HasOutput() const { return !out_.empty(); }

  uint64_t PositionNs() const;  // the end of the audio pushed so far
  AudioLength Length() const;   // the same, exact
  uint64_t DelayNs() const;     // by which the resampler lags behind
  uint32_t rate_hz() const { return rate_; }

 private:
  struct ConverterFree {
    void operator()(GstAudioConverter* converter) const { gst_audio_converter_free(converter); }
  };

  bool IsJitter(const AudioPlace& place) const;
  int64_t Shift(const AudioPlace& place) const;
  void AppendSilence(uint64_t samples);
  void AppendSamples(const GstAudioBuffer& audio, uint64_t skip, uint64_t count);
  void AppendMixed(const uint8_t* from, size_t samples);
  void ConvertBlocks(bool all);
  void Convert(const uint8_t* data, size_t samples, uint64_t limit);
  uint64_t OutIndex(uint64_t ns) const;
  void Emit(std::vector<float> samples);
  void EmitSilence(uint64_t count);

  const uint32_t out_rate_;
  GstAudioInfo info_;                              // of what comes in
  const GstAudioFormatInfo* converted_ = nullptr;  // of what is converted, interleaved
  size_t bpf_ = 1;                                 // bytes of a sample of it, all channels
  std::unique_ptr<GstAudioConverter, ConverterFree> converter_;
  size_t block_ = 1;              // samples a conversion
  uint32_t rate_;                 // of what comes in; the engine's before a format is known
  std::vector<uint8_t> pending_;  // interleaved samples, less than a block
  bool dirty_ = false;            // the resampler holds samples
  bool exact_ = true;

  uint64_t anchor_ns_ = 0;  // of output sample 0
  uint64_t base_ns_ = 0;    // of input sample 0 since the format was set
  uint64_t taken_in_ = 0;   // input samples since then
  uint64_t emitted_ = 0;    // output samples since the anchor
  std::deque<AudioBlock> out_;
};

}  // namespace talkface
