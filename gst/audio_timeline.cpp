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

// All channels alike: without positions GStreamer would take the first one alone.
GstStructure* EqualMix(int channels) {
  GValue matrix = G_VALUE_INIT, row = G_VALUE_INIT, weight = G_VALUE_INIT;
  g_value_init(&matrix, GST_TYPE_ARRAY);
  g_value_init(&row, GST_TYPE_ARRAY);
  g_value_init(&weight, G_TYPE_FLOAT);
  g_value_set_float(&weight, 1.0f / static_cast<float>(channels));
  for (int i = 0; i < channels; ++i) gst_value_array_append_value(&row, &weight);
  gst_value_array_append_and_take_value(&matrix, &row);
  GstStructure* config = gst_structure_new_empty("GstAudioConverter");
  gst_structure_take_value(config, GST_AUDIO_CONVERTER_OPT_MIX_MATRIX, &matrix);
  return config;
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
  GstAudioInfo interleaved = info;
  interleaved.layout = GST_AUDIO_LAYOUT_INTERLEAVED;
  const bool planar = info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  if (HasFormat() && gst_audio_info_is_equal(&interleaved, &info_)) {
    planar_ = planar;
    return true;
  }
  GstAudioInfo mono;
  gst_audio_info_init(&mono);
  gst_audio_info_set_format(&mono, GST_AUDIO_FORMAT_F32, static_cast<int>(out_rate_), 1, nullptr);
  GstAudioConverter* converter =
      gst_audio_converter_new(GST_AUDIO_CONVERTER_FLAG_NONE, &interleaved, &mono,
                              IsUnpositioned(info) ? EqualMix(info.channels) : nullptr);
  if (converter == nullptr) return false;
  Drain();
  base_ns_ = PositionNs();
  taken_in_ = 0;
  converter_.reset(converter);
  info_ = interleaved;
  planar_ = planar;
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
    GstAudioInfo info = info_;
    if (planar_) info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;
    if (!HasFormat() || !gst_audio_buffer_map(&audio, &info, buffer, GST_MAP_READ)) return false;
    samples = audio.n_samples;
  } else {
    samples = static_cast<uint64_t>(
        ToSamples(static_cast<int64_t>(std::min<uint64_t>(place.duration_ns, INT64_MAX)), rate_));
  }

  AudioPlace rest = place;
  uint64_t skip = 0;
  if (place.timed && place.at_ns < place.start_ns) {
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

// By how many samples a buffer begins after (positive) or before the end of the audio so far.
int64_t AudioTimeline::Shift(const AudioPlace& place) {
  if (!place.timed) return 0;
  const int64_t wanted = ToSamples(place.at_ns - static_cast<int64_t>(base_ns_), rate_);
  const int64_t shift = wanted - static_cast<int64_t>(taken_in_);
  if (shift == 0) return 0;
  const int64_t jitter = ToSamples(kJitterNs, rate_);
  if (!exact_ && !place.discont && std::abs(shift) <= jitter) return 0;
  GST_DEBUG("audio at %" G_GINT64_FORMAT " ns, expected at %" G_GUINT64_FORMAT
            " ns: %s of %" G_GINT64_FORMAT " samples",
            place.at_ns, PositionNs(), shift > 0 ? "hole" : "overlap",
            static_cast<int64_t>(std::abs(shift)));
  if (shift <= 0) return shift;
  const int64_t end =
      place.stop_ns == UINT64_MAX
          ? INT64_MAX
          : ToSamples(static_cast<int64_t>(place.stop_ns) - static_cast<int64_t>(base_ns_), rate_);
  return std::clamp<int64_t>(end - static_cast<int64_t>(taken_in_), 0, shift);
}

// Silence is counted, not converted: the resampler is emptied to the sample before it.
void AudioTimeline::AppendSilence(uint64_t samples) {
  Drain();
  taken_in_ += samples;
  const uint64_t end = OutIndex(PositionNs());
  if (end > emitted_) EmitSilence(end - emitted_);
}

void AudioTimeline::AppendSamples(const GstAudioBuffer& audio, uint64_t skip, uint64_t count) {
  const size_t bpf = static_cast<size_t>(info_.bpf);
  const size_t old = pending_.size();
  pending_.resize(old + static_cast<size_t>(count) * bpf);
  uint8_t* to = pending_.data() + old;
  if (!planar_) {
    const auto* from = static_cast<const uint8_t*>(audio.planes[0]) + skip * bpf;
    std::copy(from, from + count * bpf, to);
  } else {
    const size_t size = bpf / static_cast<size_t>(info_.channels);
    for (int channel = 0; channel < info_.channels; ++channel) {
      const auto* from = static_cast<const uint8_t*>(audio.planes[channel]) + skip * size;
      uint8_t* sample = to + static_cast<size_t>(channel) * size;
      for (uint64_t i = 0; i < count; ++i, from += size, sample += bpf)
        std::copy(from, from + size, sample);
    }
  }
  taken_in_ += count;
  ConvertBlocks(false);
}

void AudioTimeline::ConvertBlocks(bool all) {
  const size_t bpf = static_cast<size_t>(info_.bpf);
  const size_t samples = bpf > 0 ? pending_.size() / bpf : 0;
  // Without resampling every sample stands alone, and any size will do.
  const size_t step = rate_ == out_rate_ ? std::max<size_t>(samples, 1) : block_;
  size_t done = 0;
  for (; done + step <= samples; done += step)
    Convert(pending_.data() + done * bpf, step, UINT64_MAX);
  if (all && done < samples) {
    Convert(pending_.data() + done * bpf, samples - done, UINT64_MAX);
    done = samples;
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(done * bpf));
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
  std::vector<uint8_t> silence(tail * static_cast<size_t>(info_.bpf));
  gst_audio_format_info_fill_silence(info_.finfo, silence.data(), silence.size());
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
