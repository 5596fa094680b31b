// SPDX-License-Identifier: MIT
// A known sound in every raw audio format.
#pragma once

#include <gst/audio/audio.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace talkface::test {

inline GstAudioInfo Format(GstAudioFormat format, int rate, int channels,
                           GstAudioLayout layout = GST_AUDIO_LAYOUT_INTERLEAVED) {
  GstAudioInfo info;
  gst_audio_info_init(&info);
  gst_audio_info_set_format(&info, format, rate, channels, nullptr);
  info.layout = layout;
  return info;
}

inline double Wave(uint64_t index, int rate, int channel) {
  return 0.4 * std::sin(0.03 * static_cast<double>(index) * 16000 / rate + channel);
}

// `count` samples of a known wave, of any format that GStreamer can pack from doubles.
inline GstBuffer* Buffer(const GstAudioInfo& info, uint64_t from, uint64_t count) {
  std::vector<double> samples;
  for (uint64_t i = 0; i < count; ++i)
    for (int c = 0; c < info.channels; ++c) samples.push_back(Wave(from + i, info.rate, c));
  GstAudioInfo doubles = info;
  gst_audio_info_set_format(&doubles, GST_AUDIO_FORMAT_F64, info.rate, info.channels,
                            info.position);
  GstAudioInfo target = info;
  target.layout = GST_AUDIO_LAYOUT_INTERLEAVED;
  const gsize size = count * static_cast<gsize>(info.bpf);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  GstAudioConverter* converter = gst_audio_converter_new(
      GST_AUDIO_CONVERTER_FLAG_NONE, &doubles, &target,
      gst_structure_new("config", GST_AUDIO_CONVERTER_OPT_DITHER_METHOD,
                        GST_TYPE_AUDIO_DITHER_METHOD, GST_AUDIO_DITHER_NONE, nullptr));
  gpointer in[1] = {samples.data()}, out[1] = {map.data};
  gst_audio_converter_samples(converter, GST_AUDIO_CONVERTER_FLAG_NONE, in, count, out, count);
  gst_audio_converter_free(converter);
  if (info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED) {
    const std::vector<uint8_t> mixed(map.data, map.data + map.size);
    const gsize bytes = static_cast<gsize>(info.bpf / info.channels);
    for (uint64_t i = 0; i < count; ++i)
      for (gsize c = 0; c < static_cast<gsize>(info.channels); ++c)
        std::memcpy(map.data + (c * count + i) * bytes,
                    mixed.data() + (i * static_cast<gsize>(info.channels) + c) * bytes, bytes);
  }
  gst_buffer_unmap(buffer, &map);
  if (info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    gst_buffer_add_audio_meta(buffer, &info, count, nullptr);
  return buffer;
}

}  // namespace talkface::test
