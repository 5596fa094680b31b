// SPDX-License-Identifier: MIT
#include "gst/audio_timeline.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

GST_DEBUG_CATEGORY_STATIC(talkfacetimeline);
#define GST_CAT_DEFAULT talkfacetimeline

namespace talkface {
namespace {

constexpr uint64_t kBlocksPerSecond = 200;  // 5 ms a conversion

void InitCategory() {
  static gsize done = 0;
  if (g_once_init_enter(&done)) {
    GST_DEBUG_CATEGORY_INIT(talkfacetimeline, "talkfacetimeline", 0, "talkface audio timeline");
    g_once_init_leave(&done, 1);
  }
}

bool IsUnpositioned(const GstAudioInfo& info) {
  return (info.flags & GST_AUDIO_FLAG_UNPOSITIONED) != 0;
}

// Nanoseconds to samples, to the nearest.
int64_t ToSamples(int64_t ns, uint32_t rate) {
  const uint64_t size =
      gst_util_uint64_scale_round(static_cast<uint64_t>(std::abs(ns)), rate, GST_SECOND);
  return ns < 0 ? -static_cast<int64_t>(size) : static_cast<int64_t>(size);
}

}  // namespace

AudioTimeline::AudioTimeline(uint32_t out_rate_hz) : out_rate_(out_rate_hz), rate_(out_rate_hz) {
  InitCategory();
  gst_audio_info_init(&info_);
}

AudioTimeline::~AudioTimeline() = default;

bool AudioTimeline::SetFormat(const GstAudioInfo& info) {
  if (HasFormat() && gst_audio_info_is_equal(&info, &info_)) return true;
  GstAudioInfo from = info, mono;
  from.layout = GST_AUDIO_LAYOUT_INTERLEAVED;
  gst_audio_info_init(&mono);
  gst_audio_info_set_format(&mono, GST_AUDIO_FORMAT_F32, static_cast<int>(out_rate_), 1, nullptr);
  if (IsUnpositioned(info))  // Mix makes them mono floats first
    gst_audio_info_set_format(&from, GST_AUDIO_FORMAT_F32, info.rate, 1, nullptr);
  GstAudioConverter* converter =
      gst_audio_converter_new(GST_AUDIO_CONVERTER_FLAG_NONE, &from, &mono, nullptr);
  if (converter == nullptr) return false;
  Drain();
  base_ns_ = PositionNs();
  taken_in_ = 0;
  converter_.reset(converter);
  info_ = info;
  bpf_ = static_cast<size_t>(from.bpf);
  converted_ = from.finfo;
  rate_ = static_cast<uint32_t>(info.rate);
  block_ =
      rate_ == out_rate_ ? 1 : static_cast<size_t>(std::max<uint64_t>(1, rate_ / kBlocksPerSecond));
  return true;
}

void AudioTimeline::Restart(uint64_t at_ns) {
  anchor_ns_ = at_ns;
  Rewind(at_ns);
}

void AudioTimeline::Rewind(uint64_t at_ns) {
  out_.clear();
  pending_.clear();
  if (dirty_) gst_audio_converter_reset(converter_.get());
  dirty_ = false;
  exact_ = true;
  base_ns_ = at_ns;
  taken_in_ = 0;
  emitted_ = OutIndex(at_ns);
}

uint64_t AudioTimeline::PositionNs() const {
  return base_ns_ + gst_util_uint64_scale(taken_in_, GST_SECOND, rate_);
}

AudioLength AudioTimeline::Length() const { return {base_ns_, taken_in_, rate_}; }

uint64_t AudioTimeline::DelayNs() const {
  if (!HasFormat() || rate_ == out_rate_) return 0;
  return gst_util_uint64_scale_ceil(
      gst_audio_converter_get_max_latency(converter_.get()) + block_ - 1, GST_SECOND, rate_);
}

uint64_t AudioTimeline::OutIndex(uint64_t ns) const {
  return gst_util_uint64_scale_round(ns - anchor_ns_, out_rate_, GST_SECOND);
}

bool AudioTimeline::Push(GstBuffer* buffer, const AudioPlace& place) {
  const bool empty = gst_buffer_n_memory(buffer) == 0;
  const bool gap = empty || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP);
  GstAudioBuffer audio;
  uint64_t samples = 0;
  if (!empty) {
    if (!HasFormat() || !gst_audio_buffer_map(&audio, &info_, buffer, GST_MAP_READ)) return false;
    samples = audio.n_samples;
  } else {
    samples = static_cast<uint64_t>(
        ToSamples(static_cast<int64_t>(std::min<uint64_t>(place.duration_ns, INT64_MAX)), rate_));
  }

  AudioPlace rest = place;
  rest.timed = place.timed && !IsJitter(place);
  uint64_t skip = 0;
  if (rest.timed && place.at_ns < place.start_ns) {
    skip = static_cast<uint64_t>(ToSamples(place.start_ns - place.at_ns, rate_));
    rest.at_ns = place.start_ns;
  }
  const int64_t shift = skip < samples ? Shift(rest) : 0;
  if (shift > 0) AppendSilence(static_cast<uint64_t>(shift));
  if (shift < 0) skip += static_cast<uint64_t>(-shift);
  skip = std::min(samples, skip);
  uint64_t count = samples - skip;
  if (place.stop_ns != UINT64_MAX) {
    const int64_t end =
        ToSamples(static_cast<int64_t>(place.stop_ns) - static_cast<int64_t>(base_ns_), rate_);
    const int64_t room = std::max<int64_t>(0, end - static_cast<int64_t>(taken_in_));
    count = std::min(count, static_cast<uint64_t>(room));
  }
  if (count > 0) {
    exact_ = false;
    if (gap) {
      AppendSilence(count);
    } else {
      AppendSamples(audio, skip, count);
    }
  }
  if (!empty) gst_audio_buffer_unmap(&audio);
  return true;
}

bool AudioTimeline::IsJitter(const AudioPlace& place) const {
  if (exact_ || place.discont) return false;
  const int64_t wanted = ToSamples(place.at_ns - static_cast<int64_t>(base_ns_), rate_);
  return std::abs(wanted - static_cast<int64_t>(taken_in_)) <= ToSamples(kJitterNs, rate_);
}

// By how many samples a buffer begins after (positive) or before the end of the audio so far.
int64_t AudioTimeline::Shift(const AudioPlace& place) const {
  if (!place.timed) return 0;
  const auto base = static_cast<int64_t>(base_ns_), taken = static_cast<int64_t>(taken_in_);
  const int64_t shift = ToSamples(place.at_ns - base, rate_) - taken;
  if (shift == 0) return 0;
  GST_DEBUG("audio at %" G_GINT64_FORMAT " ns, expected at %" G_GUINT64_FORMAT
            " ns: %s of %" G_GINT64_FORMAT " samples",
            place.at_ns, PositionNs(), shift > 0 ? "hole" : "overlap",
            static_cast<int64_t>(std::abs(shift)));
  if (shift < 0 || place.stop_ns == UINT64_MAX) return shift;
  const int64_t end = ToSamples(static_cast<int64_t>(place.stop_ns) - base, rate_);
  return std::clamp<int64_t>(end - taken, 0, shift);
}

// Silence is counted, not converted: the resampler is emptied to the sample before it.
void AudioTimeline::AppendSilence(uint64_t samples) {
  Drain();
  taken_in_ += samples;
  const uint64_t end = OutIndex(PositionNs());
  if (end > emitted_) EmitSilence(end - emitted_);
}

void AudioTimeline::AppendSamples(const GstAudioBuffer& audio, uint64_t skip, uint64_t count) {
  const auto bytes = static_cast<size_t>(info_.bpf);
  const auto channels = static_cast<size_t>(info_.channels);
  const auto samples = static_cast<size_t>(count);
  const bool planar = info_.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  std::vector<uint8_t> packed;
  const uint8_t* from = static_cast<const uint8_t*>(audio.planes[0]) + skip * bytes;
  if (planar) {
    packed.resize(samples * bytes);
    const size_t size = bytes / channels;
    for (size_t channel = 0; channel < channels; ++channel) {
      const auto* plane = static_cast<const uint8_t*>(audio.planes[channel]) + skip * size;
      for (size_t i = 0; i < samples; ++i)
        std::copy_n(plane + i * size, size, packed.data() + i * bytes + channel * size);
    }
    from = packed.data();
  }
  if (IsUnpositioned(info_)) {
    AppendMixed(from, samples);
  } else {
    pending_.insert(pending_.end(), from, from + samples * bytes);
  }
  taken_in_ += count;
  ConvertBlocks(false);
}

// The mean of all channels: without positions GStreamer would take the first one alone, and it
// mixes fewer than 64.
void AudioTimeline::AppendMixed(const uint8_t* from, size_t samples) {
  const auto channels = static_cast<size_t>(info_.channels);
  const bool floats = info_.finfo->unpack_format == GST_AUDIO_FORMAT_F64;
  std::vector<double> reals(floats ? samples * channels : 0);
  std::vector<int32_t> integers(floats ? 0 : samples * channels);
  info_.finfo->unpack_func(info_.finfo, GST_AUDIO_PACK_FLAG_NONE,
                           floats ? static_cast<gpointer>(reals.data()) : integers.data(),
                           const_cast<uint8_t*>(from), static_cast<int>(samples * channels));
  for (size_t i = 0; i < samples; ++i) {
    double sum = 0;
    for (size_t c = i * channels; c < (i + 1) * channels; ++c)
      sum += floats ? reals[c] : integers[c] / 2147483648.0;
    const auto mean = static_cast<float>(sum / static_cast<double>(channels));
    const auto* bytes = reinterpret_cast<const uint8_t*>(&mean);
    pending_.insert(pending_.end(), bytes, bytes + sizeof mean);
  }
}

void AudioTimeline::ConvertBlocks(bool all) {
  const size_t samples = pending_.size() / bpf_;
  // Without resampling every sample stands alone, and any size will do.
  const size_t step = rate_ == out_rate_ ? std::max<size_t>(samples, 1) : block_;
  size_t done = 0;
  for (; done + step <= samples; done += step)
    Convert(pending_.data() + done * bpf_, step, UINT64_MAX);
  if (all && done < samples) {
    Convert(pending_.data() + done * bpf_, samples - done, UINT64_MAX);
    done = samples;
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(done * bpf_));
}

// Emits at most `limit` of the samples that come out.
void AudioTimeline::Convert(const uint8_t* data, size_t samples, uint64_t limit) {
  const size_t count = gst_audio_converter_get_out_frames(converter_.get(), samples);
  std::vector<float> out(count);
  gpointer in_planes[1] = {const_cast<uint8_t*>(data)};
  gpointer out_planes[1] = {out.data()};
  gst_audio_converter_samples(converter_.get(), GST_AUDIO_CONVERTER_FLAG_NONE, in_planes, samples,
                              out_planes, count);
  dirty_ = rate_ != out_rate_;
  if (count > limit) out.resize(static_cast<size_t>(limit));
  Emit(std::move(out));
}

// Pushes the resampler's tail out with silence and cuts it where the audio ends.
void AudioTimeline::Drain() {
  if (!HasFormat()) return;
  ConvertBlocks(true);
  if (!dirty_) return;
  const uint64_t end = OutIndex(PositionNs());
  const size_t tail = gst_audio_converter_get_max_latency(converter_.get()) + 1;
  std::vector<uint8_t> silence(tail * bpf_);
  gst_audio_format_info_fill_silence(converted_, silence.data(), silence.size());
  Convert(silence.data(), tail, end > emitted_ ? end - emitted_ : 0);
  if (end > emitted_) EmitSilence(end - emitted_);
  gst_audio_converter_reset(converter_.get());
  dirty_ = false;
}

void AudioTimeline::Emit(std::vector<float> samples) {
  if (samples.empty()) return;
  emitted_ += samples.size();
  const bool join = !out_.empty() && !out_.back().samples.empty() &&
                    out_.back().samples.size() + samples.size() <= out_rate_ / 4;
  if (join) {
    out_.back().samples.insert(out_.back().samples.end(), samples.begin(), samples.end());
  } else {
    out_.push_back({std::move(samples), 0});
  }
}

void AudioTimeline::EmitSilence(uint64_t count) {
  emitted_ += count;
  if (!out_.empty() && out_.back().samples.empty()) {
    out_.back().silence += count;
  } else {
    out_.push_back({{}, count});
  }
}

bool AudioTimeline::Take(uint64_t max, AudioBlock* out) {
  if (out_.empty()) return false;
  AudioBlock& front = out_.front();
  if (front.samples.empty() && front.silence > max) {
    front.silence -= max;
    *out = AudioBlock{{}, max};
    return true;
  }
  *out = std::move(front);
  out_.pop_front();
  return true;
}

}  // namespace talkface
