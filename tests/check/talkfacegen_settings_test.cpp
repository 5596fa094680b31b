// SPDX-License-Identifier: MIT
// talkfacegen's settings while it plays: portrait, gain, look-ahead, messages.
#include <gst/check/gstcheck.h>
#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>

#include "tests/check/rig.h"

using namespace talkface::test;

// A new portrait appears at a frame boundary: after 480 ms of audio frames 0 to 7 have left.
GST_START_TEST(portrait_changes_while_playing) {
  Rig rig, other;
  const std::string next = WriteSubjectPortrait(rig.folder.path("next.png"), /*variant=*/1);
  rig.Push(0, 7680);
  std::vector<std::string> sums = Checksums(rig.Pull(8));
  g_object_set(rig.element, "identity-image", next.c_str(), nullptr);
  rig.Push(7680, 5120);
  const std::vector<std::string> rest = Checksums(rig.Finish());
  fail_unless_equals_uint64(rest.size(), 12);
  other.Push(0, 12800);
  const std::vector<std::string> old_face = Checksums(other.Finish());
  RigOptions options;
  options.prepare = [&](GstElement* element) {
    g_object_set(element, "identity-image", next.c_str(), nullptr);
  };
  Rig changed(options);
  changed.Push(0, 12800);
  const std::vector<std::string> new_face = Checksums(changed.Finish());
  for (size_t i = 0; i < 8; ++i) fail_unless(sums[i] == old_face[i]);
  for (size_t i = 8; i < 20; ++i) fail_unless(rest[i - 8] == new_face[i]);
  fail_unless(rig.Poll(GST_MESSAGE_ERROR) == nullptr);
}
GST_END_TEST

GST_START_TEST(bad_portrait_while_playing_is_a_warning) {
  Rig rig, other;
  rig.Push(0, 7680);
  rig.Pull(8);
  g_object_set(rig.element, "identity-image", "/no/such/portrait.png", nullptr);
  rig.Push(7680, 5120);
  const std::vector<std::string> rest = Checksums(rig.Finish());
  GstMessage* message = rig.Await(GST_MESSAGE_WARNING);
  GError* error = nullptr;
  gst_message_parse_warning(message, &error, nullptr);
  fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND));
  fail_unless(g_strstr_len(error->message, -1, "/no/such/portrait.png") != nullptr);
  g_error_free(error);
  gst_message_unref(message);
  other.Push(0, 12800);
  const std::vector<std::string> old_face = Checksums(other.Finish());
  for (size_t i = 8; i < 20; ++i) fail_unless(rest[i - 8] == old_face[i]);
}
GST_END_TEST

GST_START_TEST(gain_is_controlled_frame_by_frame) {
  Rig plain, controlled;
  GstControlSource* source = gst_interpolation_control_source_new();
  g_object_set(source, "mode", GST_INTERPOLATION_MODE_NONE, nullptr);
  auto* values = GST_TIMED_VALUE_CONTROL_SOURCE(source);
  gst_timed_value_control_source_set(values, 0, 1.0);
  gst_timed_value_control_source_set(values, 400 * GST_MSECOND, 2.0);  // frame 10
  gst_object_add_control_binding(GST_OBJECT(controlled.element),
                                 gst_direct_control_binding_new_absolute(
                                     GST_OBJECT(controlled.element), "expression-gain", source));
  plain.Push(0, 16000);
  controlled.Push(0, 16000);
  const auto a = Checksums(plain.Finish()), b = Checksums(controlled.Finish());
  const bool scales = TestSubject().scales_expression;
  for (size_t i = 0; i < 25; ++i) fail_unless_equals_int(a[i] == b[i], i < 10 || !scales);
  gst_object_unref(source);
}
GST_END_TEST

GST_START_TEST(gain_without_effect_warns_once) {
  RigOptions options;
  if (TestSubject().scales_expression) options.faults = "\"has_units\": false";
  Rig rig(options);
  g_object_set(rig.element, "expression-gain", 2.0, nullptr);
  rig.Push(0, 16000);
  rig.Finish();
  gst_message_unref(rig.Await(GST_MESSAGE_WARNING));
  fail_unless(rig.Poll(GST_MESSAGE_WARNING) == nullptr);
}
GST_END_TEST

// A model without a sampler has no such option: it plays as if nothing had been set.
GST_START_TEST(sampler_steps_are_for_models_with_a_sampler) {
  RigOptions options;
  options.prepare = [](GstElement* element) { g_object_set(element, "sampler-steps", 7, nullptr); };
  Rig plain, stepped(options);
  plain.Push(0, 6400);
  stepped.Push(0, 6400);
  const auto a = Checksums(plain.Finish()), b = Checksums(stepped.Finish());
  fail_unless_equals_uint64(b.size(), 10);
  fail_unless_equals_int(a == b, TestSubject().hashes_samples);
  fail_unless(stepped.Poll(GST_MESSAGE_ERROR) == nullptr);
  fail_unless(stepped.Poll(GST_MESSAGE_WARNING) == nullptr);
}
GST_END_TEST

// The pack's by default, at most what the pack can; a change posts LATENCY and moves the reported
// minimum.
GST_START_TEST(look_ahead_is_clamped_and_moves_the_latency) {
  Rig rig;
  const GstClockTime own = TestSubject().look_ahead, most = TestSubject().look_ahead_max;
  guint64 look_ahead = 0;
  g_object_get(rig.element, "look-ahead", &look_ahead, nullptr);
  fail_unless_equals_uint64(look_ahead, own);
  bool live = true;
  GstClockTime max = 0;
  fail_unless_equals_uint64(rig.Latency(&live, &max), own + 80 * GST_MSECOND);
  fail_unless(!live && max == GST_CLOCK_TIME_NONE);
  while (GstMessage* message = rig.Poll(GST_MESSAGE_LATENCY)) gst_message_unref(message);
  g_object_set(rig.element, "look-ahead", 5 * GST_SECOND, nullptr);
  g_object_get(rig.element, "look-ahead", &look_ahead, nullptr);
  fail_unless_equals_uint64(look_ahead, most);
  gst_message_unref(rig.Await(GST_MESSAGE_LATENCY));
  fail_unless_equals_uint64(rig.Latency(&live, &max), most + 80 * GST_MSECOND);
  g_object_set(rig.element, "processing-time", 100 * GST_MSECOND, nullptr);
  gst_message_unref(rig.Await(GST_MESSAGE_LATENCY));
  fail_unless_equals_uint64(rig.Latency(&live, &max), most + 140 * GST_MSECOND);
  // All of it is looked at: frame 0 cannot leave before it.
  const uint64_t samples = most * 16 / GST_MSECOND;
  rig.Push(0, samples - 320);
  fail_unless(rig.Quiet());
  rig.Push(samples - 320, 1280);
  ExpectTimes(rig.Pull(2), 25, 1);
}
GST_END_TEST

GST_START_TEST(message_for_every_frame) {
  Rig rig;
  g_object_set(rig.element, "post-messages", TRUE, nullptr);
  rig.Push(0, 3200);
  fail_unless_equals_uint64(rig.Finish().size(), 5);
  for (guint64 n = 0; n < 5; ++n) {
    GstMessage* message = rig.Await(GST_MESSAGE_ELEMENT);
    const GstStructure* fields = gst_message_get_structure(message);
    fail_unless(gst_structure_has_name(fields, "talkfacegen"));
    guint64 value = 0;
    for (const char* name : {"timestamp", "stream-time", "running-time"}) {
      fail_unless(gst_structure_get_uint64(fields, name, &value), "%s", name);
      fail_unless_equals_uint64(value, n * 40 * GST_MSECOND);
    }
    fail_unless(gst_structure_get_uint64(fields, "duration", &value));
    fail_unless_equals_uint64(value, 40 * GST_MSECOND);
    fail_unless(gst_structure_get_uint64(fields, "frame", &value));
    fail_unless_equals_uint64(value, n);
    gboolean idle = TRUE;
    fail_unless(gst_structure_get_boolean(fields, "idle", &idle));
    fail_unless(!idle);
    fail_unless(gst_structure_has_field(fields, "action-units"));
    gst_message_unref(message);
  }
  fail_unless(rig.Poll(GST_MESSAGE_ELEMENT) == nullptr);
}
GST_END_TEST

GST_START_TEST(what_opens_the_engine_is_read_back) {
  GstElement* element = gst_element_factory_make("talkfacegen", nullptr);
  g_object_set(element, "model", "fake", "device", "cuda:3", "precision", 2, "device-memory-limit",
               3072u, nullptr);
  char *model = nullptr, *device = nullptr;
  int precision = 0;
  guint limit = 0;
  g_object_get(element, "model", &model, "device", &device, "precision", &precision,
               "device-memory-limit", &limit, nullptr);
  fail_unless_equals_string(model, "fake");
  fail_unless_equals_string(device, "cuda:3");
  fail_unless_equals_int(precision, 2);
  fail_unless_equals_int(limit, 3072);
  g_free(model);
  g_free(device);
  gst_object_unref(element);
}
GST_END_TEST

static Suite* talkfacegen_settings_suite() {
  PreloadEngine();
  Suite* suite = suite_create("talkfacegen_settings");
  TCase* cases = tcase_create("general");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, portrait_changes_while_playing);
  tcase_add_test(cases, bad_portrait_while_playing_is_a_warning);
  tcase_add_test(cases, gain_is_controlled_frame_by_frame);
  tcase_add_test(cases, gain_without_effect_warns_once);
  tcase_add_test(cases, sampler_steps_are_for_models_with_a_sampler);
  tcase_add_test(cases, look_ahead_is_clamped_and_moves_the_latency);
  tcase_add_test(cases, message_for_every_frame);
  tcase_add_test(cases, what_opens_the_engine_is_read_back);
  return suite;
}

GST_CHECK_MAIN(talkfacegen_settings)
