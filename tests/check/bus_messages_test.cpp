// SPDX-License-Identifier: MIT
// gst/bus_messages.h: what applications see of errors, progress and frames.
#include "gst/bus_messages.h"

#include <gst/check/gstcheck.h>

#include <cstdio>

using namespace talkface;

namespace {

// An element with a bus to listen to.
struct Speaker {
  Speaker() : element(gst_bin_new("speaker")), bus(gst_bus_new()) {
    gst_element_set_bus(element, bus);
  }
  ~Speaker() {
    gst_element_set_bus(element, nullptr);
    gst_object_unref(bus);
    gst_object_unref(element);
  }
  GstMessage* Said(GstMessageType type) {
    GstMessage* message = gst_bus_pop(bus);
    fail_unless(message != nullptr, "nothing was posted");
    fail_unless_equals_int(GST_MESSAGE_TYPE(message), type);
    fail_unless(GST_MESSAGE_SRC(message) == GST_OBJECT(element));
    fail_unless(gst_bus_have_pending(bus) == FALSE, "more than one message");
    return message;
  }
  GstElement* element;
  GstBus* bus;
};

Status MakeStatus(Code code, const char* message, const char* detail) {
  Status status;
  status.code = code;
  std::snprintf(status.message, sizeof status.message, "%s", message);
  std::snprintf(status.detail, sizeof status.detail, "%s", detail);
  return status;
}

}  // namespace

GST_START_TEST(status_becomes_an_error) {
  const struct {
    Code code;
    GQuark domain;
    int number;
  } kinds[] = {
      {Code::kInvalid, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS},
      {Code::kNotFound, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND},
      {Code::kBadPack, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ},
      {Code::kNoFace, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS},
      {Code::kUnsupported, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS},
      {Code::kNoMemory, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
      {Code::kFailed, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED},
  };
  Speaker speaker;
  for (const auto& kind : kinds) {
    PostStatus(speaker.element, MakeStatus(kind.code, "A sentence.", "a detail"));
    GstMessage* message = speaker.Said(GST_MESSAGE_ERROR);
    GError* error = nullptr;
    char* debug = nullptr;
    gst_message_parse_error(message, &error, &debug);
    fail_unless(g_error_matches(error, kind.domain, kind.number), "%d: %s %d",
                static_cast<int>(kind.code), g_quark_to_string(error->domain), error->code);
    fail_unless_equals_string(error->message, "A sentence.");
    fail_unless(strstr(debug, "a detail") != nullptr, "%s", debug);
    g_error_free(error);
    g_free(debug);
    gst_message_unref(message);
  }
}
GST_END_TEST

GST_START_TEST(ok_says_nothing) {
  Speaker speaker;
  PostStatus(speaker.element, Status{});
  PostWarning(speaker.element, Status{});
  fail_if(gst_bus_have_pending(speaker.bus));
}
GST_END_TEST

GST_START_TEST(warnings_and_glib_errors) {
  Speaker speaker;
  PostWarning(speaker.element, MakeStatus(Code::kNoFace, "No face.", ""));
  GstMessage* message = speaker.Said(GST_MESSAGE_WARNING);
  GError* error = nullptr;
  gst_message_parse_warning(message, &error, nullptr);
  fail_unless_equals_string(error->message, "No face.");
  gst_message_unref(message);

  PostError(speaker.element, error);
  message = speaker.Said(GST_MESSAGE_ERROR);
  GError* again = nullptr;
  gst_message_parse_error(message, &again, nullptr);
  fail_unless(g_error_matches(again, error->domain, error->code));
  fail_unless_equals_string(again->message, error->message);
  gst_message_unref(message);
  g_error_free(again);

  PostWarning(speaker.element, error);
  gst_message_unref(speaker.Said(GST_MESSAGE_WARNING));
  g_error_free(error);
}
GST_END_TEST

GST_START_TEST(progress) {
  Speaker speaker;
  PostProgress(speaker.element, GST_PROGRESS_TYPE_CONTINUE, "load-model", "Loading: 50 %");
  GstMessage* message = speaker.Said(GST_MESSAGE_PROGRESS);
  GstProgressType type;
  char *code = nullptr, *text = nullptr;
  gst_message_parse_progress(message, &type, &code, &text);
  fail_unless_equals_int(type, GST_PROGRESS_TYPE_CONTINUE);
  fail_unless_equals_string(code, "load-model");
  fail_unless_equals_string(text, "Loading: 50 %");
  g_free(code);
  g_free(text);
  gst_message_unref(message);
}
GST_END_TEST

GST_START_TEST(frame_tells_times_and_action_units) {
  const ActionUnit units[] = {{10, "upper lip raiser"}, {26, "jaw drop"}};
  const float intensities[] = {0.5f, 2.25f};
  Speaker speaker;
  PostFrame(speaker.element, {10, 20, 30, 40, 7, true, units, intensities, 2});
  GstMessage* message = speaker.Said(GST_MESSAGE_ELEMENT);
  const GstStructure* frame = gst_message_get_structure(message);
  fail_unless(gst_structure_has_name(frame, "talkfacegen"));
  guint64 timestamp = 0, stream = 0, running = 0, duration = 0, number = 0;
  gboolean idle = FALSE;
  GstStructure* seen = nullptr;
  fail_unless(gst_structure_get(frame, "timestamp", GST_TYPE_CLOCK_TIME, &timestamp, "stream-time",
                                GST_TYPE_CLOCK_TIME, &stream, "running-time", GST_TYPE_CLOCK_TIME,
                                &running, "duration", GST_TYPE_CLOCK_TIME, &duration, "frame",
                                G_TYPE_UINT64, &number, "idle", G_TYPE_BOOLEAN, &idle,
                                "action-units", GST_TYPE_STRUCTURE, &seen, nullptr));
  fail_unless(timestamp == 10 && stream == 20 && running == 30 && duration == 40 && number == 7);
  fail_unless(idle == TRUE);
  double au10 = 0, au26 = 0;
  fail_unless(
      gst_structure_get(seen, "au10", G_TYPE_DOUBLE, &au10, "au26", G_TYPE_DOUBLE, &au26, nullptr));
  fail_unless(au10 == 0.5 && au26 == 2.25, "%f %f", au10, au26);
  fail_unless_equals_int(gst_structure_n_fields(seen), 2);
  gst_structure_free(seen);
  gst_message_unref(message);
}
GST_END_TEST

GST_START_TEST(frame_without_action_units) {
  Speaker speaker;
  PostFrame(speaker.element, {0, 0, 0, 40, 0, false, nullptr, nullptr, 0});
  GstMessage* message = speaker.Said(GST_MESSAGE_ELEMENT);
  GstStructure* seen = nullptr;
  fail_unless(gst_structure_get(gst_message_get_structure(message), "action-units",
                                GST_TYPE_STRUCTURE, &seen, nullptr));
  fail_unless_equals_int(gst_structure_n_fields(seen), 0);
  gst_structure_free(seen);
  gst_message_unref(message);
}
GST_END_TEST

GST_START_TEST(tags_say_synthetic_media) {
  GstTagList* tags = SyntheticMediaTags();
  fail_unless_equals_int(gst_tag_list_get_scope(tags), GST_TAG_SCOPE_GLOBAL);
  char* comment = nullptr;
  fail_unless(gst_tag_list_get_string(tags, GST_TAG_EXTENDED_COMMENT, &comment));
  fail_unless(g_str_has_prefix(comment, "digitalSourceType=http://cv.iptc.org/"), "%s", comment);
  fail_unless(g_str_has_suffix(comment, "/trainedAlgorithmicMedia"), "%s", comment);
  g_free(comment);
  gst_tag_list_unref(tags);
}
GST_END_TEST

static Suite* bus_messages_suite() {
  Suite* suite = suite_create("bus_messages");
  TCase* chain = tcase_create("all");
  suite_add_tcase(suite, chain);
  tcase_add_test(chain, status_becomes_an_error);
  tcase_add_test(chain, ok_says_nothing);
  tcase_add_test(chain, warnings_and_glib_errors);
  tcase_add_test(chain, progress);
  tcase_add_test(chain, frame_tells_times_and_action_units);
  tcase_add_test(chain, frame_without_action_units);
  tcase_add_test(chain, tags_say_synthetic_media);
  return suite;
}

GST_CHECK_MAIN(bus_messages)
