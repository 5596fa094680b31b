// SPDX-License-Identifier: MIT
/**
 * SECTION:element-talkfacegen
 * @title: talkfacegen
 * @short_description: Speech and a portrait in, video of the portrait speaking out
 *
 * talkfacegen animates the face of one picture (#GstTalkFaceGen:identity-image) with the speech
 * that it receives. It takes raw audio of any format and gives raw video of any size and rate. Time
 * comes from the audio alone: frame n is at n / framerate from the start of the segment, and D
 * seconds of audio give ceil(D x framerate) frames.
 *
 * The audio itself does not pass through: split it off with a tee, or use talkfacegenbin, which
 * gives aligned audio beside the video. A queue in the audio branch of a live pipeline must hold
 * the element's latency (its `latency` property: look-ahead + one frame + processing-time + the
 * resampler's delay); the default queue holds one second.
 *
 * With a live source, or with #GstTalkFaceGen:force-live, a frame is made for every moment whether
 * speech came or not: frames without it are idle (flagged GAP), so video never stops.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=speech.wav ! decodebin ! talkfacegen identity-image=portrait.jpg
 *     ! videoconvert ! x264enc ! mp4mux ! filesink location=talking.mp4
 * ]|
 * A silent film of the portrait saying what is in the file.
 * |[
 * gst-launch-1.0 audiotestsrc is-live=true ! talkfacegen identity-image=portrait.jpg
 *     ! video/x-raw,width=512,height=512,framerate=25/1 ! videoconvert ! autovideosink
 * ]|
 * Live, at a chosen size and rate.
 *
 * Since: 0.1
 */
#include "elements/talkfacegen.h"

#include <gst/audio/audio.h>
#include <gst/video/video.h>

#include "elements/talkfacegen_private.h"

GST_DEBUG_CATEGORY(talkfacegen_debug);
#define GST_CAT_DEFAULT talkfacegen_debug

using talkface::Generator;
using talkface::Guarded;

namespace {

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format = (string) " GST_AUDIO_FORMATS_ALL
                    ", rate = (int) [ 1, 384000 ], channels = (int) [ 1, 64 ], "
                    "layout = (string) { interleaved, non-interleaved }"));

GstStaticPadTemplate source_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("video/x-raw, format = (string) { I420, NV12, YV12, RGBA, BGRA, RGB, BGR, "
                    "RGBx, BGRx }, width = (int) [ 1, 8192 ], height = (int) [ 1, 8192 ], "
                    "framerate = (fraction) [ 1/1, 120/1 ], "
                    "interlace-mode = (string) progressive"));

Generator* GeneratorOf(gpointer element) { return GST_TALK_FACE_GEN(element)->generator; }

}  // namespace

G_DEFINE_TYPE(GstTalkFaceGen, gst_talk_face_gen, GST_TYPE_AGGREGATOR)
GST_ELEMENT_REGISTER_DEFINE(talkfacegen, "talkfacegen", GST_RANK_NONE, GST_TYPE_TALK_FACE_GEN)

namespace talkface {

void PostException(GstElement* element, const char* what) {
  GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("talkfacegen failed unexpectedly."), ("%s", what));
}

}  // namespace talkface

static void gst_talk_face_gen_set_property(GObject* object, guint id, const GValue* value,
                                           GParamSpec* spec) {
  Guarded(GST_ELEMENT(object), false, [&] {
    GeneratorOf(object)->SetProperty(id, value, spec);
    return true;
  });
}

static void gst_talk_face_gen_get_property(GObject* object, guint id, GValue* value,
                                           GParamSpec* spec) {
  Guarded(GST_ELEMENT(object), false, [&] {
    GeneratorOf(object)->GetProperty(id, value, spec);
    return true;
  });
}

static void gst_talk_face_gen_interrupt(GstTalkFaceGen* self) {
  Guarded(GST_ELEMENT(self), false, [&] {
    self->generator->Interrupt();
    return true;
  });
}

static GstStateChangeReturn gst_talk_face_gen_change_state(GstElement* element,
                                                           GstStateChange transition) {
  Generator* generator = GeneratorOf(element);
  const bool ready = Guarded(element, false, [&] {
    switch (transition) {
      case GST_STATE_CHANGE_NULL_TO_READY:
        return generator->OpenEngine();
      case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
        generator->SetPlaying(true);
        return true;
      case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
        generator->SetPlaying(false);
        return true;
      case GST_STATE_CHANGE_PAUSED_TO_READY:
        generator->BeginFlush();  // the task must end before the base class waits for it
        return true;
      default:
        return true;
    }
  });
  if (!ready) return GST_STATE_CHANGE_FAILURE;
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_talk_face_gen_parent_class)->change_state(element, transition);
  const bool closing =
      transition == GST_STATE_CHANGE_READY_TO_NULL ||
      (transition == GST_STATE_CHANGE_NULL_TO_READY && result == GST_STATE_CHANGE_FAILURE);
  if (closing) {
    Guarded(element, false, [&] {
      generator->CloseEngine();
      return true;
    });
  }
  return result;
}

// The virtual functions, in the order in which data meets them.

static gboolean gst_talk_face_gen_start(GstAggregator* aggregator) {
  return Guarded(GST_ELEMENT(aggregator), false, [&] { return GeneratorOf(aggregator)->Start(); });
}

static GstFlowReturn gst_talk_face_gen_sink_event_pre_queue(GstAggregator* aggregator,
                                                            GstAggregatorPad* pad,
                                                            GstEvent* event) {
  return Guarded(GST_ELEMENT(aggregator), GST_FLOW_ERROR,
                 [&] { return GeneratorOf(aggregator)->SinkEventPreQueue(pad, event); });
}

static gboolean gst_talk_face_gen_sink_event(GstAggregator* aggregator, GstAggregatorPad* pad,
                                             GstEvent* event) {
  return Guarded(GST_ELEMENT(aggregator), false,
                 [&] { return GeneratorOf(aggregator)->SinkEvent(pad, event); });
}

static GstFlowReturn gst_talk_face_gen_update_src_caps(GstAggregator* aggregator, GstCaps* caps,
                                                       GstCaps** out) {
  return Guarded(GST_ELEMENT(aggregator), GST_FLOW_NOT_NEGOTIATED,
                 [&] { return GeneratorOf(aggregator)->UpdateSourceCaps(caps, out); });
}

static gboolean gst_talk_face_gen_negotiated_src_caps(GstAggregator* aggregator, GstCaps* caps) {
  return Guarded(GST_ELEMENT(aggregator), false,
                 [&] { return GeneratorOf(aggregator)->NegotiatedSourceCaps(caps); });
}

static gboolean gst_talk_face_gen_decide_allocation(GstAggregator* aggregator, GstQuery* query) {
  return Guarded(GST_ELEMENT(aggregator), false,
                 [&] { return talkface::DecideVideoAllocation(query); });
}

static GstClockTime gst_talk_face_gen_get_next_time(GstAggregator* aggregator) {
  return Guarded(GST_ELEMENT(aggregator), GST_CLOCK_TIME_NONE,
                 [&] { return GeneratorOf(aggregator)->NextTime(); });
}

static GstFlowReturn gst_talk_face_gen_aggregate(GstAggregator* aggregator, gboolean timeout) {
  return Guarded(GST_ELEMENT(aggregator), GST_FLOW_ERROR,
                 [&] { return GeneratorOf(aggregator)->Aggregate(timeout != FALSE); });
}

static gboolean gst_talk_face_gen_src_event(GstAggregator* aggregator, GstEvent* event) {
  return Guarded(GST_ELEMENT(aggregator), false,
                 [&] { return GeneratorOf(aggregator)->SourceEvent(event); });
}

static gboolean gst_talk_face_gen_src_query(GstAggregator* aggregator, GstQuery* query) {
  return Guarded(GST_ELEMENT(aggregator), false,
                 [&] { return GeneratorOf(aggregator)->SourceQuery(query); });
}

static GstPadProbeReturn gst_talk_face_gen_src_probe(GstPad* pad, GstPadProbeInfo* info,
                                                     gpointer data) {
  return Guarded(GST_ELEMENT(data), GST_PAD_PROBE_OK,
                 [&] { return GeneratorOf(data)->SourceProbe(info); });
}

static gboolean gst_talk_face_gen_stop(GstAggregator* aggregator) {
  return Guarded(GST_ELEMENT(aggregator), false, [&] {
    GeneratorOf(aggregator)->Stop();
    return true;
  });
}

static void gst_talk_face_gen_finalize(GObject* object) {
  delete GST_TALK_FACE_GEN(object)->generator;
  G_OBJECT_CLASS(gst_talk_face_gen_parent_class)->finalize(object);
}

static void gst_talk_face_gen_class_init(GstTalkFaceGenClass* klass) {
  GST_DEBUG_CATEGORY_INIT(talkfacegen_debug, "talkfacegen", 0, "talking-face generator");

  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_talk_face_gen_set_property;
  object_class->get_property = gst_talk_face_gen_get_property;
  object_class->finalize = gst_talk_face_gen_finalize;
  talkface::InstallProperties(object_class);

  /**
   * GstTalkFaceGen::interrupt:
   *
   * Action signal: forgets all speech that has been received and not shown yet. The face comes to
   * rest and the video goes on without a break; speech sent from now on is spoken.
   *
   * Since: 0.1
   */
  g_signal_new_class_handler("interrupt", G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(gst_talk_face_gen_interrupt), nullptr, nullptr, nullptr,
                             G_TYPE_NONE, 0);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = GST_DEBUG_FUNCPTR(gst_talk_face_gen_change_state);
  gst_element_class_add_static_pad_template_with_gtype(element_class, &sink_template,
                                                       GST_TYPE_AGGREGATOR_PAD);
  gst_element_class_add_static_pad_template_with_gtype(element_class, &source_template,
                                                       GST_TYPE_AGGREGATOR_PAD);
  gst_element_class_set_static_metadata(
      element_class, "Talking face generator", "Converter/Audio/Video",
      "Makes a portrait speak: speech audio to video of the face", "The talkface authors");

  GstAggregatorClass* aggregator_class = GST_AGGREGATOR_CLASS(klass);
  aggregator_class->start = GST_DEBUG_FUNCPTR(gst_talk_face_gen_start);
  aggregator_class->sink_event_pre_queue =
      GST_DEBUG_FUNCPTR(gst_talk_face_gen_sink_event_pre_queue);
  aggregator_class->sink_event = GST_DEBUG_FUNCPTR(gst_talk_face_gen_sink_event);
  aggregator_class->update_src_caps = GST_DEBUG_FUNCPTR(gst_talk_face_gen_update_src_caps);
  aggregator_class->negotiated_src_caps = GST_DEBUG_FUNCPTR(gst_talk_face_gen_negotiated_src_caps);
  aggregator_class->decide_allocation = GST_DEBUG_FUNCPTR(gst_talk_face_gen_decide_allocation);
  aggregator_class->get_next_time = GST_DEBUG_FUNCPTR(gst_talk_face_gen_get_next_time);
  aggregator_class->aggregate = GST_DEBUG_FUNCPTR(gst_talk_face_gen_aggregate);
  aggregator_class->src_event = GST_DEBUG_FUNCPTR(gst_talk_face_gen_src_event);
  aggregator_class->src_query = GST_DEBUG_FUNCPTR(gst_talk_face_gen_src_query);
  aggregator_class->stop = GST_DEBUG_FUNCPTR(gst_talk_face_gen_stop);
}

static void gst_talk_face_gen_init(GstTalkFaceGen* self) {
  self->generator = new Generator(self);
  GstPadTemplate* templ = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), "sink");
  self->sink = GST_PAD(g_object_new(GST_TYPE_AGGREGATOR_PAD, "name", "sink", "direction",
                                    GST_PAD_SINK, "template", templ, nullptr));
  gst_element_add_pad(GST_ELEMENT(self), self->sink);
  gst_pad_add_probe(
      GST_AGGREGATOR_SRC_PAD(self),
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_FLUSH),
      gst_talk_face_gen_src_probe, self, nullptr);
}
