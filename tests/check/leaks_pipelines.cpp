// SPDX-License-Identifier: MIT
// Pipelines for no_leaks.sh: all ends that a stream may have, then gst_deinit (at exit, by check),
// which lets the leaks tracer tell what is still alive. With the argument "leak" it leaks a bin
// instead.
#include <gst/check/gstcheck.h>

#include <cstring>

#include "tests/check/pipeline.h"
#include "tests/check/subject.h"

using namespace talkface::test;

GST_START_TEST(play_all) {
  TempFolder folder;
  const std::string portrait = WriteSubjectPortrait(folder.path("portrait.png"));
  const std::string source =
      "audiotestsrc num-buffers=50 samplesperbuffer=320 ! audio/x-raw,rate=16000 ! ";
  const std::string face = std::string("name=face post-messages=true model=") + TestSubject().pack +
                           " identity-image=" + portrait;
  {
    Pipeline pipeline(source + "talkfacegen " + face + " ! fakesink");
    pipeline.PlayToEnd();
    pipeline.SetState(GST_STATE_READY);
    pipeline.PlayToEnd();
  }
  {
    Pipeline pipeline(source + "talkfacegenbin " + face +
                      " face.video_src ! videoconvert ! fakesink face.audio_src ! fakesink");
    pipeline.ReachState(GST_STATE_PAUSED);
    g_signal_emit_by_name(pipeline["face"], "interrupt");
    g_object_set(pipeline["face"], "identity-image", folder.path("missing.png").c_str(), nullptr);
    gst_message_unref(pipeline.WaitFor(GST_MESSAGE_WARNING));
    pipeline.PlayToEnd();
  }
  {
    const std::string pack = WriteFakePack(folder.path("pack"), R"("fail_at_frame": 5)");
    Pipeline pipeline(source + "talkfacegen " + face + " model=" + pack + " ! fakesink");
    pipeline.FailWith(GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "fake");
  }
  {
    Pipeline pipeline(source + "talkfacegen " + face + " ! fakesink");
    pipeline.ReachState(GST_STATE_PAUSED);  // and stopped there, with frames under way
  }
}
GST_END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  int failures = 0;
  if (argc > 1 && std::strcmp(argv[1], "leak") == 0) {
    gst_object_ref_sink(gst_bin_new("leaked"));
  } else {
    Suite* suite = suite_create("leaks");
    TCase* chain = tcase_create("all");
    suite_add_tcase(suite, chain);
    tcase_add_test(chain, play_all);
    SRunner* runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);  // what the tracer tells is this process's
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
  }
  _gst_check_expecting_log = TRUE;  // the tracer's warning is the script's to judge
  return failures == 0 ? 0 : 1;
}
