// SPDX-License-Identifier: MIT
// A talkfacegen on a test bench: audio whose every sample is known goes in, frames are collected,
// and time passes only when the test says so.
#pragma once

#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>
#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/check/subject.h"

namespace talkface::test {

struct Picture {
  GstClockTime pts, duration;
  bool idle, discont;
  std::string checksum;
  gsize size;
};

constexpr const char* kSmallVideo = "video/x-raw,format=I420,width=32,height=32,framerate=25/1";

struct RigOptions {
  bool live = false;
  const char* video = kSmallVideo;  // what downstream takes; null: anything
  const char* audio = "audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=1";
  std::string faults;    // settings of a fake pack; "": the pack under test
  unsigned slow_ms = 0;  // the pack under test, but so slow (SlowSubject)
  bool force_live = false;
  GstClockTime clock_ns = 0;                 // when the element starts
  std::function<void(GstElement*)> prepare;  // before the element leaves NULL
};

// Maps the engine's libraries once, before check forks a process per test.
void PreloadEngine();

class Rig {
 public:
  explicit Rig(const RigOptions& options = RigOptions());
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  // The known audio: sample `index` of every stream, S16.
  static int16_t Sample(uint64_t index);
  // A buffer of mono S16 samples [from, from + count) with its time at `rate`.
  static GstBuffer* Audio(uint64_t from, uint64_t count, uint32_t rate = 16000);
  GstFlowReturn Push(uint64_t from, uint64_t count);
  // The same, `count` samples in buffers of `step`.
  void PushCut(uint64_t from, uint64_t count, uint64_t step);
  void PushSegment(GstClockTime start, GstClockTime base = 0);
  void Event(GstEvent* event);

  // The next frame; fails the test if none comes.
  Picture Pull();
  std::vector<Picture> Pull(size_t count);
  // Is no frame waiting? Only for moments when none can be on its way.
  bool Quiet();
  // Sends EOS and collects what is left, to the EOS downstream.
  std::vector<Picture> Finish();
  // Lets the clock reach the next deadline that somebody waits for.
  void Crank();
  GstClockTime Now() const;

  // Next message of `type` from the element; fails the test if none comes.
  GstMessage* Await(GstMessageType type);
  // The same if it is on the bus already, else null.
  GstMessage* Poll(GstMessageType type);
  // Fails unless the statistics say so; due is their sum.
  void ExpectStats(guint64 rendered, guint64 idle, guint64 dropped);
  guint64 Stat(const char* name);
  GstClockTime Latency(bool* live, GstClockTime* max);

  GstElement* element = nullptr;
  GstHarness* harness = nullptr;
  GstTestClock* clock = nullptr;
  GstBus* bus = nullptr;
  TempFolder folder;
  std::string portrait;
};

// Fails unless the frames are numbers first, first + 1, ... of a segment that starts at `start`.
void ExpectTimes(const std::vector<Picture>& frames, int fps_n, int fps_d, guint64 number = 0,
                 GstClockTime start = 0);

std::vector<std::string> Checksums(const std::vector<Picture>& frames);

// Fails unless the frames' pictures differ: all of them from each other where the subject's do,
// else some.
void ExpectMotion(const std::vector<Picture>& frames);

}  // namespace talkface::test
