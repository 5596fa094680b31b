// SPDX-License-Identifier: MIT
// Every element up and down all states, alone and in a pipeline, and used again.
#include <gst/check/gstcheck.h>

#include "tests/check/pipeline.h"
#include "tests/check/rig.h"

using namespace talkface::test;

namespace {

const char* const kElements[] = {"talkfacegen", "talkfacegenbin"};

int Rounds() { return TestSubject().quick ? 4 : 2; }

GstElement* Make(const char* name, const std::string& portrait) {
  GstElement* element = gst_element_factory_make(name, nullptr);
  fail_unless(element != nullptr, "no element %s", name);
  g_object_set(element, "model", TestSubject().pack, "identity-image", portrait.c_str(), nullptr);
  return element;
}

void Reach(GstElement* element, GstState state) {
  const GstStateChangeReturn result = gst_element_set_state(element, state);
  fail_unless(result != GST_STATE_CHANGE_FAILURE, "%s: no change to %s", GST_OBJECT_NAME(element),
              gst_element_state_get_name(state));
  // Alone it has no data to preroll with: ASYNC is as good.
  gst_element_get_state(element, nullptr, nullptr, 0);
}

// Starts a Pipeline when another tells how far its loading is.
GstBusSyncReply StartInProgress(GstBus*, GstMessage* message, gpointer pipeline) {
  GstProgressType type = GST_PROGRESS_TYPE_START;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_PROGRESS)
    gst_message_parse_progress(message, &type, nullptr, nullptr);
  auto* other = static_cast<Pipeline*>(pipeline);
  if (type == GST_PROGRESS_TYPE_CONTINUE && GST_STATE_TARGET(other->element()) == GST_STATE_NULL)
    other->SetState(GST_STATE_PLAYING);
  return GST_BUS_PASS;
}

}  // namespace

GST_START_TEST(up_and_down_alone) {
  TempFolder folder;
  const std::string portrait = WriteSubjectPortrait(folder.path("portrait.png"));
  const GstState steps[] = {GST_STATE_READY,  GST_STATE_PAUSED,  GST_STATE_PLAYING,
                            GST_STATE_PAUSED, GST_STATE_READY,   GST_STATE_NULL,
                            GST_STATE_PAUSED, GST_STATE_NULL,    GST_STATE_PLAYING,
                            GST_STATE_READY,  GST_STATE_PLAYING, GST_STATE_NULL};
  for (const char* name : kElements) {
    GstElement* element = Make(name, portrait);
    for (int round = 0; round < Rounds(); ++round)
      for (const GstState step : steps) Reach(element, step);
    gst_object_unref(element);
  }
}
GST_END_TEST

GST_START_TEST(made_and_forgotten) {
  for (const char* name : kElements) {
    for (int i = 0; i < 20; ++i) {
      GstElement* element = gst_element_factory_make(name, nullptr);
      ASSERT_OBJECT_REFCOUNT(element, name, 1);
      gst_object_unref(element);
    }
  }
}
GST_END_TEST

GST_START_TEST(stops_anywhere_in_a_pipeline) {
  TempFolder folder;
  const std::string portrait = WriteSubjectPortrait(folder.path("portrait.png"));
  for (const char* name : kElements) {
    const std::string output =
        g_str_equal(name, "talkfacegen") ? "e. ! fakesink" : "e.video_src ! fakesink";
    Pipeline pipeline("audiotestsrc ! audio/x-raw,rate=16000 ! " + std::string(name) +
                      " name=e model=" + TestSubject().pack + " identity-image=" + portrait + " " +
                      output);
    for (int round = 0; round < Rounds(); ++round) {
      pipeline.ReachState(GST_STATE_READY);
      pipeline.SetState(GST_STATE_PAUSED);  // and on before it is reached
      pipeline.SetState(GST_STATE_READY);
      pipeline.ReachState(GST_STATE_PAUSED);
      pipeline.ReachState(GST_STATE_PLAYING);
      pipeline.ReachState(GST_STATE_PAUSED);
      pipeline.ReachState(GST_STATE_PLAYING);
      pipeline.ReachState(round % 2 == 0 ? GST_STATE_NULL : GST_STATE_READY);
    }
  }
}
GST_END_TEST

GST_START_TEST(needs_a_portrait) {
  for (const char* name : kElements) {
    const std::string output =
        g_str_equal(name, "talkfacegen") ? "e. ! fakesink" : "e.video_src ! fakesink";
    Pipeline pipeline("audiotestsrc ! " + std::string(name) +
                      " name=e model=" + TestSubject().pack + " " + output);
    pipeline.FailWith(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "identity-image");
  }
}
GST_END_TEST

// The second asks for the engine that the first one is loading, in the thread that waits for it.
GST_START_TEST(a_second_starts_while_the_first_loads) {
  TempFolder folder;
  const std::string launch = "audiotestsrc ! audio/x-raw,rate=16000 ! talkfacegen model=" +
                             std::string(TestSubject().pack) + " identity-image=" +
                             WriteSubjectPortrait(folder.path("portrait.png")) + " ! fakesink";
  Pipeline second(launch);
  {
    Pipeline first(launch);
    gst_bus_set_sync_handler(first.bus(), StartInProgress, &second, nullptr);
    first.SetState(GST_STATE_PLAYING);
    fail_unless(GST_STATE_TARGET(second.element()) == GST_STATE_PLAYING, "no progress was told");
    first.ReachState(GST_STATE_PLAYING);
    second.ReachState(GST_STATE_PLAYING);
  }
  second.ReachState(GST_STATE_PLAYING);  // with the engine that the first one opened
}
GST_END_TEST

static Suite* states_suite() {
  PreloadEngine();
  Suite* suite = suite_create("states");
  TCase* chain = tcase_create("all");
  suite_add_tcase(suite, chain);
  tcase_add_test(chain, up_and_down_alone);
  tcase_add_test(chain, made_and_forgotten);
  tcase_add_test(chain, stops_anywhere_in_a_pipeline);
  tcase_add_test(chain, needs_a_portrait);
  tcase_add_test(chain, a_second_starts_while_the_first_loads);
  return suite;
}

GST_CHECK_MAIN(states)
