// SPDX-License-Identifier: MIT
// A pipeline under test.
#pragma once

#include <gst/gst.h>

#include <string>
#include <vector>

namespace talkface::test {

class Pipeline {
 public:
  // Made from a gst-launch description. Fails the test if it cannot be.
  explicit Pipeline(const std::string& description);
  // Stops it. Fails the test if that does not succeed.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  GstElement* element() const { return pipeline_; }
  GstBus* bus() const { return bus_; }
  // A child by name: the pipeline's, not the caller's.
  GstElement* operator[](const char* name) const;

  void SetState(GstState state);    // fails the test on failure
  void ReachState(GstState state);  // and waits until it is reached
  // Waits for a message of these types and returns it. Fails the test if none comes, and on an
  // error message that was not asked for.
  GstMessage* WaitFor(int types);
  void PlayToEnd();
  // Plays, or tries to, until an error message comes. Its text must hold `words`.
  void FailWith(GQuark domain, int code, const char* words);

 private:
  GstElement* pipeline_;
  GstBus* bus_;
};

// Buffers that reached a pad.
struct Arrival {
  GstClockTime pts, duration;
  gsize size;
  bool gap;
};

class Recorder {
 public:
  // Records what comes to the sink pad of a pipeline's child, from now on.
  Recorder(const Pipeline& pipeline, const char* name);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  std::vector<Arrival> Arrivals();
  // Waits until that many have come, or fails the test.
  void WaitForCount(size_t count);

 private:
  static GstPadProbeReturn OnBuffer(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  GstPad* pad_;
  gulong probe_;
  GMutex mutex_;
  GCond changed_;
  std::vector<Arrival> arrivals_;  // with mutex_
};

// Buffers of silence but for a counter in their samples: S16LE mono at 16 kHz, `samples` each,
// from time `start` on, pushed into an appsrc.
void PushSpeech(GstElement* appsrc, GstClockTime start, guint buffers, guint samples);

// caps for PushSpeech's buffers, as an appsrc's properties in a description
extern const char kSpeechSource[];

}  // namespace talkface::test
