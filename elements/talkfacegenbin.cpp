// SPDX-License-Identifier: MIT
/**
 * SECTION:element-talkfacegenbin
 * @title: talkfacegenbin
 *
 * Takes speech and gives the talking face on `video_src` and the speech itself, untouched, on
 * `audio_src`. It is a talkfacegen with a tee before it and a queue beside it that holds the speech
 * which the face still needs: its size follows the element's latency, so no look-ahead, however
 * long, makes a pipeline stall. All properties of talkfacegen are there, and its `interrupt`, which
 * drops the speech waiting in the queues too. The `audio_src` pad may stay unlinked: its sound is
 * discarded then.
 *
 * |[
 * gst-launch-1.0 filesrc location=speech.wav ! decodebin ! audioconvert ! talkfacegenbin name=t \
 *   identity-image=portrait.jpg t.video_src ! videoconvert ! autovideosink t.audio_src ! \
 *   audioconvert ! audioresample ! autoaudiosink
 * ]| Shows a portrait speaking, with its voice.
 *
 * Since: 0.1
 */
#include "elements/talkfacegenbin.h"

#include "elements/talkfacegen.h"
#include "gst/param_specs.h"
#include "gst/queue_cut.h"

GST_DEBUG_CATEGORY_STATIC(talk_face_gen_bin_debug);
#define GST_CAT_DEFAULT talk_face_gen_bin_debug

// What the speech's queue holds besides the face's latency: encoders behind `video_src` may ask for
// some seconds of video before they give any, and a muxer takes no speech until then.
static constexpr GstClockTime kQueueMargin = 10 * GST_SECOND;

struct _GstTalkFaceGenBin {
  GstBin parent;

  // Made in constructed, owned by the bin.
  GstElement* generator;
  GstElement* speech_queue;  // null where GStreamer's core elements are missing; so are the cuts

  // Values of construct properties until there is a generator to give them to: names to GValues.
  GHashTable* early;

  // What waits in the queue before the generator, and in the speech's.
  talkface::QueueCut* generator_cut;
  talkface::QueueCut* speech_cut;
};

enum { SIGNAL_INTERRUPT, LAST_SIGNAL };
static guint bin_signals[LAST_SIGNAL];

static GstStaticPadTemplate audio_src_template = GST_STATIC_PAD_TEMPLATE(
    "audio_src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("audio/x-raw"));

G_DEFINE_TYPE_WITH_CODE(GstTalkFaceGenBin, gst_talk_face_gen_bin, GST_TYPE_BIN,
                        GST_DEBUG_CATEGORY_INIT(talk_face_gen_bin_debug, "talkfacegenbin", 0,
                                                "talkfacegenbin element"))
GST_ELEMENT_REGISTER_DEFINE(talkfacegenbin, "talkfacegenbin", GST_RANK_NONE,
                            GST_TYPE_TALK_FACE_GEN_BIN)

static void free_value(gpointer data) {
  auto* value = static_cast<GValue*>(data);
  g_value_unset(value);
  g_free(value);
}

static void gst_talk_face_gen_bin_set_property(GObject* object, guint id, const GValue* value,
                                               GParamSpec* spec) {
  auto* self = GST_TALK_FACE_GEN_BIN(object);
  if (self->generator != nullptr) {
    g_object_set_property(G_OBJECT(self->generator), spec->name, value);
    return;
  }
  GValue* copy = g_new0(GValue, 1);
  g_value_init(copy, G_VALUE_TYPE(value));
  g_value_copy(value, copy);
  g_hash_table_insert(self->early, g_strdup(spec->name), copy);
}

static void gst_talk_face_gen_bin_get_property(GObject* object, guint id, GValue* value,
                                               GParamSpec* spec) {
  g_object_get_property(G_OBJECT(GST_TALK_FACE_GEN_BIN(object)->generator), spec->name, value);
}

// The generator's latency may change at any time, from any thread.
static void size_speech_queue(GstTalkFaceGenBin* self) {
  guint64 latency = 0;
  g_object_get(self->generator, "latency", &latency, nullptr);
  GST_DEBUG_OBJECT(self, "latency %" GST_TIME_FORMAT, GST_TIME_ARGS(latency));
  g_object_set(self->speech_queue, "max-size-time", latency + kQueueMargin, nullptr);
}

static void on_generator_notify(GstTalkFaceGenBin* self, GParamSpec* spec) {
  if (self->speech_queue != nullptr && g_str_equal(spec->name, "latency")) size_speech_queue(self);
  GParamSpec* own = g_object_class_find_property(G_OBJECT_GET_CLASS(self), spec->name);
  if (own != nullptr && own->owner_type == GST_TYPE_TALK_FACE_GEN_BIN)
    g_object_notify_by_pspec(G_OBJECT(self), own);
}

static GstElement* make_generator(GstTalkFaceGenBin* self) {
  const guint count = g_hash_table_size(self->early);
  const char** names = g_new(const char*, count);
  GValue* values = g_new(GValue, count);  // shallow copies: `early` owns what they hold
  GHashTableIter iter;
  gpointer name, value;
  g_hash_table_iter_init(&iter, self->early);
  for (guint i = 0; g_hash_table_iter_next(&iter, &name, &value); ++i) {
    names[i] = static_cast<const char*>(name);
    values[i] = *static_cast<GValue*>(value);
  }
  auto* generator =
      GST_ELEMENT(g_object_new_with_properties(GST_TYPE_TALK_FACE_GEN, count, names, values));
  g_hash_table_remove_all(self->early);
  g_free(values);
  g_free(names);
  gst_object_set_name(GST_OBJECT(generator), "generator");
  return generator;
}

// A ghost pad for a child's pad, by the template of that name.
static GstPad* add_ghost(GstTalkFaceGenBin* self, const char* name, GstElement* child,
                         const char* pad_name) {
  GstPadTemplate* templ = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), name);
  GstPad* target = gst_element_get_static_pad(child, pad_name);
  GstPad* ghost = gst_ghost_pad_new_from_template(name, target, templ);
  gst_object_unref(target);
  gst_element_add_pad(GST_ELEMENT(self), ghost);
  return ghost;
}

static void link_children(GstTalkFaceGenBin* self, GstElement* tee, GstElement* generator_queue) {
  g_object_set(self->speech_queue, "max-size-bytes", 0, "max-size-buffers", 0, nullptr);
  gst_bin_add_many(GST_BIN(self), tee, generator_queue, self->speech_queue, nullptr);
  // The generator's branch first: a buffer reaches it even when the speech's queue is full.
  gst_element_link_pads(tee, "src_%u", generator_queue, "sink");
  gst_element_link_pads(generator_queue, "src", self->generator, "sink");
  gst_element_link_pads(tee, "src_%u", self->speech_queue, "sink");

  add_ghost(self, "sink", tee, "sink");
  add_ghost(self, "video_src", self->generator, "src");
  GstPad* audio_src = add_ghost(self, "audio_src", self->speech_queue, "src");
  self->generator_cut = new talkface::QueueCut(generator_queue, nullptr);
  self->speech_cut = new talkface::QueueCut(self->speech_queue, audio_src);
  size_speech_queue(self);
}

static void gst_talk_face_gen_bin_constructed(GObject* object) {
  auto* self = GST_TALK_FACE_GEN_BIN(object);
  G_OBJECT_CLASS(gst_talk_face_gen_bin_parent_class)->constructed(object);

  self->generator = make_generator(self);
  gst_bin_add(GST_BIN(self), self->generator);
  GstElement* tee = gst_element_factory_make("tee", "tee");
  GstElement* generator_queue = gst_element_factory_make("queue", "generator-queue");
  self->speech_queue = gst_element_factory_make("queue", "speech-queue");
  if (tee != nullptr && self->speech_queue != nullptr) {
    link_children(self, tee, generator_queue);
  } else {  // GStreamer's core elements are not on the plugin path: told at the change to READY
    g_clear_pointer(&tee, gst_object_unref);
    g_clear_pointer(&generator_queue, gst_object_unref);
    g_clear_pointer(&self->speech_queue, gst_object_unref);
  }
  g_signal_connect_object(self->generator, "notify", G_CALLBACK(on_generator_notify), self,
                          G_CONNECT_SWAPPED);
}

static void gst_talk_face_gen_bin_finalize(GObject* object) {
  auto* self = GST_TALK_FACE_GEN_BIN(object);
  g_hash_table_unref(self->early);
  delete self->generator_cut;
  delete self->speech_cut;
  G_OBJECT_CLASS(gst_talk_face_gen_bin_parent_class)->finalize(object);
}

static GstStateChangeReturn gst_talk_face_gen_bin_change_state(GstElement* element,
                                                               GstStateChange transition) {
  auto* self = GST_TALK_FACE_GEN_BIN(element);
  if (self->speech_queue == nullptr) {
    GST_ELEMENT_ERROR(
        self, CORE, MISSING_PLUGIN,
        ("GStreamer's elements 'tee' and 'queue' are missing; put its core plugins on "
         "the plugin path."),
        (nullptr));
    return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_talk_face_gen_bin_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    self->generator_cut->Reset();
    self->speech_cut->Reset();
  }
  return result;
}

static void gst_talk_face_gen_bin_interrupt(GstTalkFaceGenBin* self) {
  if (self->speech_queue == nullptr) return;
  GST_INFO_OBJECT(self, "interrupt: queued speech is dropped");
  self->generator_cut->Cut();
  self->speech_cut->Cut();
  g_signal_emit_by_name(self->generator, "interrupt");
}

// Installs a copy of each property that talkfacegen itself has, and of the inherited latency.
static void install_generator_properties(GObjectClass* klass, GObjectClass* generator) {
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(generator, &count);
  guint id = 0;
  for (guint i = 0; i < count; ++i) {
    const bool own = specs[i]->owner_type == GST_TYPE_TALK_FACE_GEN;
    if (!own && !g_str_equal(specs[i]->name, "latency")) continue;
    GParamSpec* copy = talkface::CopyParamSpec(specs[i]);
    g_return_if_fail(copy != nullptr);
    if (!own) copy->flags = static_cast<GParamFlags>(copy->flags & ~G_PARAM_WRITABLE);
    g_object_class_install_property(klass, ++id, copy);
  }
  g_free(specs);
}

static void add_generator_template(GstElementClass* klass, GstElementClass* generator,
                                   const char* name, const char* generator_name) {
  GstPadTemplate* from = gst_element_class_get_pad_template(generator, generator_name);
  GstCaps* caps = gst_pad_template_get_caps(from);
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new(name, GST_PAD_TEMPLATE_DIRECTION(from), GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
}

static void gst_talk_face_gen_bin_class_init(GstTalkFaceGenBinClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  gpointer generator = g_type_class_ref(GST_TYPE_TALK_FACE_GEN);

  object_class->set_property = gst_talk_face_gen_bin_set_property;
  object_class->get_property = gst_talk_face_gen_bin_get_property;
  object_class->constructed = gst_talk_face_gen_bin_constructed;
  object_class->finalize = gst_talk_face_gen_bin_finalize;
  install_generator_properties(object_class, G_OBJECT_CLASS(generator));

  /**
   * GstTalkFaceGenBin::interrupt:
   *
   * Forgets all speech that has come and was not played: the face goes to rest, and both outputs
   * go on with what comes next. From any thread.
   *
   * Since: 0.1
   */
  bin_signals[SIGNAL_INTERRUPT] = g_signal_new_class_handler(
      "interrupt", G_TYPE_FROM_CLASS(klass),
      static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
      G_CALLBACK(gst_talk_face_gen_bin_interrupt), nullptr, nullptr, nullptr, G_TYPE_NONE, 0);

  add_generator_template(element_class, GST_ELEMENT_CLASS(generator), "sink", "sink");
  add_generator_template(element_class, GST_ELEMENT_CLASS(generator), "video_src", "src");
  gst_element_class_add_static_pad_template(element_class, &audio_src_template);
  gst_element_class_set_static_metadata(
      element_class, "Talking face generator with audio", "Converter/Audio/Video",
      "Makes a portrait speak: speech in, aligned video and speech out", "talkface");
  element_class->change_state = GST_DEBUG_FUNCPTR(gst_talk_face_gen_bin_change_state);
  g_type_class_unref(generator);
}

static void gst_talk_face_gen_bin_init(GstTalkFaceGenBin* self) {
  self->early = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_value);
}
