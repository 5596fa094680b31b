// SPDX-License-Identifier: MIT
#include "pipelines/cli/clip_reader.h"

#include <gst/video/video.h>

#include <algorithm>

#include "pipelines/cli/command.h"
#include "pipelines/cli/media_source.h"
#include "pipelines/cli/required_elements.h"

namespace talkface::cli {
namespace {

constexpr int kSampleRate = 16000;

// The queue of sound has no limit, so that reading picture after picture never waits for it.
constexpr char kPipeline[] =
    "uridecodebin name=source "
    "videoconvert name=video ! video/x-raw,format=RGBA ! "
    "appsink name=pictures sync=false max-buffers=4 "
    "audioconvert name=audio ! audioresample ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! "
    "appsink name=sounds sync=false";

bool LinkTo(GstElement* pipeline, const char* name, GstPad* pad) {
  GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline), name);
  GstPad* sink = gst_element_get_static_pad(element, "sink");
  const bool linked = !gst_pad_is_linked(sink) && gst_pad_link(pad, sink) == GST_PAD_LINK_OK;
  gst_object_unref(sink);
  gst_object_unref(element);
  return linked;
}

void See(GstSample* sample, double seconds, const std::function<void(const Pixels&, double)>& see) {
  GstVideoInfo info;
  GstVideoFrame frame;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
      !gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ))
    throw Error("a picture cannot be read");
  const Pixels pixels{static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0)),
                      static_cast<uint32_t>(GST_VIDEO_FRAME_WIDTH(&frame)),
                      static_cast<uint32_t>(GST_VIDEO_FRAME_HEIGHT(&frame)),
                      static_cast<size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0))};
  try {
    see(pixels, seconds);
  } catch (...) {
    gst_video_frame_unmap(&frame);
    throw;
  }
  gst_video_frame_unmap(&frame);
}

GstClockTime RunningTime(GstSample* sample) {
  return gst_segment_to_running_time(gst_sample_get_segment(sample), GST_FORMAT_TIME,
                                     GST_BUFFER_PTS(gst_sample_get_buffer(sample)));
}

// Owns a sample.
struct SampleHolder {
  GstSample* sample;
  ~SampleHolder() { gst_sample_unref(sample); }
};

}  // namespace

ClipReader::ClipReader(const std::string& path) : path_(path) {
  const std::string uri = FileUri(path);
  RequireElements({"uridecodebin", "videoconvert", "appsink", "audioconvert", "audioresample"});
  pipeline_ = gst_parse_launch(kPipeline, nullptr);
  GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline_), "source");
  g_object_set(source, "uri", uri.c_str(), nullptr);
  TimeByStreams(source);
  g_signal_connect(source, "pad-added", G_CALLBACK(OnPadAdded), this);
  g_signal_connect(source, "no-more-pads", G_CALLBACK(OnNoMorePads), this);
  gst_object_unref(source);
  pictures_ = GST_APP_SINK(gst_bin_get_by_name(GST_BIN(pipeline_), "pictures"));
  sounds_ = GST_APP_SINK(gst_bin_get_by_name(GST_BIN(pipeline_), "sounds"));
}

ClipReader::~ClipReader() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pictures_);
  gst_object_unref(sounds_);
  gst_object_unref(pipeline_);
}

void ClipReader::OnPadAdded(GstElement*, GstPad* pad, gpointer user) {
  auto* self = static_cast<ClipReader*>(user);
  GstCaps* caps = gst_pad_query_caps(pad, nullptr);
  const std::string type = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  gst_caps_unref(caps);
  if (type == "video/x-raw" && LinkTo(self->pipeline_, "video", pad)) self->has_pictures_ = true;
  if (type == "audio/x-raw" && LinkTo(self->pipeline_, "audio", pad)) self->has_sound_ = true;
}

void ClipReader::OnNoMorePads(GstElement*, gpointer user) {
  static_cast<ClipReader*>(user)->streams_known_ = true;
}

void ClipReader::ThrowBusError() {
  GstBus* bus = gst_pipeline_get_bus(GST_PIPELINE(pipeline_));
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (message == nullptr) return;
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const std::string text = error->message;
  g_error_free(error);
  gst_message_unref(message);
  throw Error(text);
}

void ClipReader::WaitForStreams() {
  GstBus* bus = gst_pipeline_get_bus(GST_PIPELINE(pipeline_));
  while (!streams_known_) {
    GstMessage* message = gst_bus_timed_pop_filtered(bus, 10 * GST_MSECOND, GST_MESSAGE_ERROR);
    if (message == nullptr) continue;
    gst_bus_post(bus, message);
    break;
  }
  gst_object_unref(bus);
  ThrowBusError();
  if (!has_pictures_) throw Error("it has no video");
  if (!has_sound_) throw Error("it has no sound");
}

void ClipReader::TakeSound() {
  while (GstSample* sample = gst_app_sink_try_pull_sample(sounds_, 0)) {
    const SampleHolder holder{sample};
    if (first_sound_ == GST_CLOCK_TIME_NONE) first_sound_ = RunningTime(sample);
    GstMapInfo map;
    if (!gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ)) continue;
    const auto* data = reinterpret_cast<const int16_t*>(map.data);
    samples_.insert(samples_.end(), data, data + map.size / sizeof(int16_t));
    gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
  }
}

void ClipReader::Read(const std::function<void(const Pixels& picture, double seconds)>& see) {
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  WaitForStreams();
  while (!gst_app_sink_is_eos(pictures_)) {
    GstSample* sample = gst_app_sink_try_pull_sample(pictures_, 100 * GST_MSECOND);
    ThrowBusError();
    TakeSound();
    if (sample == nullptr) continue;
    const SampleHolder holder{sample};
    const GstClockTime time = RunningTime(sample);
    if (time == GST_CLOCK_TIME_NONE) continue;
    if (first_picture_ == GST_CLOCK_TIME_NONE) first_picture_ = time;
    See(sample, static_cast<double>(time - first_picture_) / GST_SECOND, see);
  }
  while (!gst_app_sink_is_eos(sounds_)) {
    TakeSound();
    ThrowBusError();
    g_usleep(1000);
  }
  TakeSound();
}

std::vector<int16_t> ClipReader::Sound() const {
  std::vector<int16_t> sound = samples_;
  if (first_picture_ == GST_CLOCK_TIME_NONE || first_sound_ == GST_CLOCK_TIME_NONE) return sound;
  const GstClockTimeDiff late = GST_CLOCK_DIFF(first_picture_, first_sound_);
  const uint64_t count = gst_util_uint64_scale(late < 0 ? -late : late, kSampleRate, GST_SECOND);
  if (late > 0)
    sound.insert(sound.begin(), count, 0);
  else
    sound.erase(sound.begin(), sound.begin() + std::min<uint64_t>(count, sound.size()));
  return sound;
}

}  // namespace talkface::cli
