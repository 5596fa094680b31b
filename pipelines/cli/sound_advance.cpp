// SPDX-License-Identifier: MIT
#include "pipelines/cli/sound_advance.h"

#include <gst/audio/audio.h>

namespace talkface::cli {
namespace {

struct Advance {  // used by the streaming thread alone
  guint64 samples, left_out = 0;
  bool passed = false;  // something has reached the encoder
};

bool CurrentAudio(GstPad* pad, GstAudioInfo* audio) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  const bool known = caps != nullptr && gst_audio_info_from_caps(audio, caps);
  gst_clear_caps(&caps);
  return known;
}

GstClockTime Duration(const GstAudioInfo& audio, guint64 samples) {
  return gst_util_uint64_scale(samples, GST_SECOND, GST_AUDIO_INFO_RATE(&audio));
}

// Sound so short that all of it was left out: the encoder gets silence, or the file would lack the
// track. Of that nothing is left out.
void GiveSilence(GstPad* pad, const GstAudioInfo& audio, Advance* advance) {
  const gsize bytes = advance->samples * GST_AUDIO_INFO_BPF(&audio);
  GstBuffer* silence = gst_buffer_new_allocate(nullptr, bytes, nullptr);
  gst_buffer_memset(silence, 0, 0, bytes);
  GST_BUFFER_PTS(silence) = 0;
  GST_BUFFER_DURATION(silence) = Duration(audio, advance->samples);
  advance->passed = true;
  advance->samples = 0;
  advance->left_out = 0;
  gst_pad_chain(pad, silence);
}

GstPadProbeReturn OnSound(GstPad* pad, GstPadProbeInfo* info, Advance* advance) {
  GstAudioInfo audio;
  if (!CurrentAudio(pad, &audio)) return GST_PAD_PROBE_OK;
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  const guint64 size = gst_buffer_get_size(buffer) / GST_AUDIO_INFO_BPF(&audio);
  const guint64 cut = MIN(advance->samples - advance->left_out, size);
  if (GST_BUFFER_PTS_IS_VALID(buffer)) {
    const GstClockTime pts = GST_BUFFER_PTS(buffer) + Duration(audio, cut);
    const GstClockTime earlier = Duration(audio, advance->samples);
    GST_BUFFER_PTS(buffer) = pts > earlier ? pts - earlier : 0;
  }
  advance->left_out += cut;
  if (cut == size) return GST_PAD_PROBE_DROP;
  advance->passed = true;
  gst_buffer_resize(buffer, static_cast<gssize>(cut * GST_AUDIO_INFO_BPF(&audio)), -1);
  if (GST_BUFFER_DURATION_IS_VALID(buffer))
    GST_BUFFER_DURATION(buffer) = Duration(audio, size - cut);
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn OnSoundOrEnd(GstPad* pad, GstPadProbeInfo* info, gpointer user) {
  auto* advance = static_cast<Advance*>(user);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0)
    return OnSound(pad, info, advance);
  GstAudioInfo audio;
  const bool end = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS;
  if (end && !advance->passed && CurrentAudio(pad, &audio)) GiveSilence(pad, audio, advance);
  return GST_PAD_PROBE_OK;
}

}  // namespace

void AdvanceSound(GstElement* encoder, int samples) {
  if (samples == 0) return;
  GstPad* pad = gst_element_get_static_pad(encoder, "sink");
  gst_pad_add_probe(
      pad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      OnSoundOrEnd, new Advance{static_cast<guint64>(samples)},
      [](gpointer user) { delete static_cast<Advance*>(user); });
  gst_object_unref(pad);
}

}  // namespace talkface::cli
