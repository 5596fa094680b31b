// SPDX-License-Identifier: MIT
#include "gst/bus_messages.h"

#include <cstdio>

namespace talkface {
namespace {

struct ErrorKind {
  GQuark domain;
  gint code;
};

ErrorKind KindOf(Code code) {
  switch (code) {
    case Code::kInvalid:
    case Code::kNoFace:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS};
    case Code::kNotFound:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
    case Code::kBadPack:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ};
    case Code::kUnsupported:
      return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS};
    case Code::kNoMemory:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT};
    case Code::kOk:
    case Code::kFailed:
    case Code::kCancelled:
    case Code::kLate:
    case Code::kTimeout:
      break;
  }
  return {GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED};
}

void Post(GstElement* element, GstMessageType type, const ErrorKind& kind, const char* text,
          const char* detail) {
  char* debug = detail != nullptr && *detail != '\0' ? g_strdup(detail) : nullptr;
  gst_element_message_full(element, type, kind.domain, kind.code, g_strdup(text), debug, __FILE__,
                           GST_FUNCTION, __LINE__);
}

}  // namespace

void PostStatus(GstElement* element, const Status& status) {
  if (status.ok()) return;
  Post(element, GST_MESSAGE_ERROR, KindOf(status.code), status.message, status.detail);
}

void PostWarning(GstElement* element, const Status& status) {
  if (status.ok()) return;
  Post(element, GST_MESSAGE_WARNING, KindOf(status.code), status.message, status.detail);
}

void PostError(GstElement* element, const GError* error) {
  Post(element, GST_MESSAGE_ERROR, {error->domain, error->code}, error->message, nullptr);
}

void PostWarning(GstElement* element, const GError* error) {
  Post(element, GST_MESSAGE_WARNING, {error->domain, error->code}, error->message, nullptr);
}

void PostProgress(GstElement* element, GstProgressType type, const char* code, const char* text) {
  gst_element_post_message(element,
                           gst_message_new_progress(GST_OBJECT(element), type, code, text));
}

void PostFrame(GstElement* element, const FrameMessage& frame) {
  GstStructure* units = gst_structure_new_empty("action-units");
  for (uint32_t i = 0; i < frame.unit_count; ++i) {
    char name[16];
    std::snprintf(name, sizeof name, "au%d", static_cast<int>(frame.units[i].number));
    gst_structure_set(units, name, G_TYPE_DOUBLE, static_cast<double>(frame.intensities[i]),
                      nullptr);
  }
  GstStructure* message = gst_structure_new(
      "talkfacegen", "timestamp", GST_TYPE_CLOCK_TIME, frame.timestamp, "stream-time",
      GST_TYPE_CLOCK_TIME, frame.stream_time, "running-time", GST_TYPE_CLOCK_TIME,
      frame.running_time, "duration", GST_TYPE_CLOCK_TIME, frame.duration, "frame", G_TYPE_UINT64,
      frame.frame, "idle", G_TYPE_BOOLEAN, static_cast<gboolean>(frame.idle), "action-units",
      GST_TYPE_STRUCTURE, units, nullptr);
  gst_structure_free(units);
  gst_element_post_message(element, gst_message_new_element(GST_OBJECT(element), message));
}

GstTagList* SyntheticMediaTags() {
  GstTagList* tags = gst_tag_list_new(
      GST_TAG_EXTENDED_COMMENT,
      "digitalSourceType=http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
      nullptr);
  gst_tag_list_set_scope(tags, GST_TAG_SCOPE_GLOBAL);
  return tags;
}

}  // namespace talkface
