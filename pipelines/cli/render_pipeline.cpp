// SPDX-License-Identifier: MIT
#include "pipelines/cli/render_pipeline.h"

#include <gst/gsttagsetter.h>

#include "gst/bus_messages.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/media_source.h"
#include "pipelines/cli/required_elements.h"
#include "pipelines/cli/sound_advance.h"

namespace talkface::cli {
namespace {

std::string VideoCaps(const RenderOptions& options, const Encoder& encoder) {
  std::string caps = std::string("video/x-raw,format=I420") + encoder.caps;
  if (options.width > 0)
    caps += ",width=" + std::to_string(options.width) + ",height=" + std::to_string(options.height);
  if (options.fps_num > 0)
    caps += ",framerate=" + std::to_string(options.fps_num) + "/" + std::to_string(options.fps_den);
  return caps;
}

// The queue of the sound has no limit of its own: the muxer holds sound back until the encoder,
// which looks ahead, gives the first picture. The queue before talkfacegen bounds both.
std::string Describe(const RenderOptions& options, const FileType& type) {
  return "uridecodebin name=source expose-all-streams=false caps=audio/x-raw(ANY) "
         "tee name=speech "
         "speech. ! queue max-size-time=500000000 max-size-buffers=0 max-size-bytes=0 "
         "! talkfacegen name=face ! " +
         VideoCaps(options, type.video) + " ! queue max-size-buffers=8 ! " + type.video.element +
         " " + type.video.settings + " ! queue ! mux. " +
         "speech. ! queue max-size-time=0 max-size-buffers=0 max-size-bytes=0 ! audioconvert ! "
         "audioresample ! audio/x-raw,channels=[1,2] ! " +
         type.audio.element + " name=encoder " + type.audio.settings + " ! queue ! mux. " +
         type.muxer + " name=mux ! filesink name=file";
}

std::string PropertyNames(GObjectClass* object_class) {
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(object_class, &count);
  std::string names;
  for (guint i = 0; i < count; ++i) {
    if ((specs[i]->flags & G_PARAM_WRITABLE) == 0 || specs[i]->owner_type == GST_TYPE_OBJECT)
      continue;
    names += (names.empty() ? "" : ", ") + std::string(specs[i]->name);
  }
  g_free(specs);
  return names;
}

void SetProperty(GstElement* element, const std::string& name, const std::string& text) {
  GObjectClass* object_class = G_OBJECT_GET_CLASS(element);
  GParamSpec* spec = g_object_class_find_property(object_class, name.c_str());
  if (spec == nullptr || (spec->flags & G_PARAM_WRITABLE) == 0)
    throw Error("talkfacegen has no property '" + name +
                "' to set; it has: " + PropertyNames(object_class));
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  const bool read = gst_value_deserialize_with_pspec(&value, text.c_str(), spec);
  // Validation changes a value that is out of range.
  const bool accepted = read && !g_param_value_validate(spec, &value);
  if (accepted) g_object_set_property(G_OBJECT(element), name.c_str(), &value);
  g_value_unset(&value);
  if (!accepted)
    throw Error("'" + text + "' is no value for talkfacegen's property '" + name +
                "': " + g_param_spec_get_blurb(spec));
}

// Muxers drop the extended comment that talkfacegen sends, so the file says it in a comment too.
void TagFile(GstElement* muxer) {
  GstTagList* tags = SyntheticMediaTags();
  char* text = nullptr;
  if (gst_tag_list_get_string(tags, GST_TAG_EXTENDED_COMMENT, &text)) {
    gst_tag_list_add(tags, GST_TAG_MERGE_REPLACE, GST_TAG_COMMENT, text, nullptr);
    g_free(text);
  }
  gst_tag_setter_merge_tags(GST_TAG_SETTER(muxer), tags, GST_TAG_MERGE_REPLACE);
  gst_tag_list_unref(tags);
}

GstElement* Named(GstElement* pipeline, const char* name) {  // the pipeline keeps the reference
  GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline), name);
  gst_object_unref(element);
  return element;
}

}  // namespace

RenderPipeline::RenderPipeline(const RenderOptions& options, const FileType& type,
                               const std::string& part) {
  RequireElements({"uridecodebin", "audioconvert", "audioresample", "talkfacegen",
                   type.video.element, type.audio.element, type.muxer});
  GError* error = nullptr;
  pipeline_ = gst_parse_launch(Describe(options, type).c_str(), &error);
  if (error != nullptr) {
    const std::string message = error->message;
    g_error_free(error);
    if (pipeline_ != nullptr) gst_object_unref(pipeline_);
    throw Error("cannot build the pipeline: " + message);
  }
  face_ = Named(pipeline_, "face");
  try {
    SetProperties(options);
    GstElement* source = Named(pipeline_, "source");
    g_object_set(source, "uri", FileUri(options.audio).c_str(), nullptr);
    TimeByStreams(source);
    g_signal_connect(source, "pad-added", G_CALLBACK(OnPadAdded), this);
  } catch (...) {
    gst_object_unref(pipeline_);
    throw;
  }
  g_object_set(Named(pipeline_, "file"), "location", part.c_str(), nullptr);
  TagFile(Named(pipeline_, "mux"));
  AdvanceSound(Named(pipeline_, "encoder"), type.audio.delay_samples);
  speech_pad_ = gst_element_get_static_pad(Named(pipeline_, "speech"), "sink");
  gst_pad_add_probe(speech_pad_, GST_PAD_PROBE_TYPE_BUFFER, OnSpeech, this, nullptr);
  GstPad* frames = gst_element_get_static_pad(face_, "src");
  gst_pad_add_probe(
      frames,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      OnFrame, this, nullptr);
  gst_object_unref(frames);
}

RenderPipeline::~RenderPipeline() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(speech_pad_);
  gst_object_unref(pipeline_);
}

void RenderPipeline::SetProperties(const RenderOptions& options) {
  SetProperty(face_, "identity-image", options.image);
  if (!options.model.empty()) SetProperty(face_, "model", options.model);
  if (!options.device.empty()) SetProperty(face_, "device", options.device);
  for (const auto& [name, value] : options.properties) SetProperty(face_, name, value);
}

double RenderPipeline::Duration() const {
  gint64 duration = 0;
  if (!gst_pad_peer_query_duration(speech_pad_, GST_FORMAT_TIME, &duration) || duration < 0)
    return 0;
  return static_cast<double>(duration) / GST_SECOND;
}

// Only the first stream of sound is used.
void RenderPipeline::OnPadAdded(GstElement*, GstPad* pad, gpointer user) {
  auto* self = static_cast<RenderPipeline*>(user);
  if (self->linked_.exchange(true)) return;
  gst_pad_link(pad, self->speech_pad_);
}

GstPadProbeReturn RenderPipeline::OnSpeech(GstPad* pad, GstPadProbeInfo* info, gpointer user) {
  auto* self = static_cast<RenderPipeline*>(user);
  if (!self->ending_) return GST_PAD_PROBE_OK;
  gst_pad_send_event(pad, gst_event_new_eos());
  gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_EOS;
  return GST_PAD_PROBE_HANDLED;
}

GstPadProbeReturn RenderPipeline::OnFrame(GstPad*, GstPadProbeInfo* info, gpointer user) {
  auto* self = static_cast<RenderPipeline*>(user);
  const bool list = (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0;
  const guint count = list ? gst_buffer_list_length(GST_PAD_PROBE_INFO_BUFFER_LIST(info)) : 1;
  if (count == 0) return GST_PAD_PROBE_OK;
  GstBuffer* last = list ? gst_buffer_list_get(GST_PAD_PROBE_INFO_BUFFER_LIST(info), count - 1)
                         : GST_PAD_PROBE_INFO_BUFFER(info);
  self->frames_ += count;
  if (GST_BUFFER_PTS_IS_VALID(last))
    self->position_ns_ =
        GST_BUFFER_PTS(last) + (GST_BUFFER_DURATION_IS_VALID(last) ? GST_BUFFER_DURATION(last) : 0);
  return GST_PAD_PROBE_OK;
}

}  // namespace talkface::cli
