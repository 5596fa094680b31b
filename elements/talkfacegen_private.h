// SPDX-License-Identifier: MIT
// The state behind a talkfacegen element. talkfacegen.cpp is the GObject shell: each of its
// functions calls one function of Generator, inside one guard.
//
// Threads and locks: the streaming thread (the source pad's task) runs Aggregate and SinkEvent;
// applications and other elements' threads run the rest. Locks are taken in this order, and none is
// held over a push, a message, a signal or a wait for the engine:
//   base class SRC_LOCK > stream_mutex_ > object lock > pad locks
#pragma once

#include <gst/video/video.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "elements/talkfacegen.h"
#include "gst/audio_timeline.h"
#include "gst/engine_ref.h"
#include "gst/frame_clock.h"
#include "gst/qos_gate.h"
#include "gst/video_output.h"
#include "models/engine.h"

GST_DEBUG_CATEGORY_EXTERN(talkfacegen_debug);

namespace talkface {

// What the engine is opened with.
struct ModelSettings {
  std::string model = "auwarp";
  std::string device = "auto";
  Precision precision = Precision::kAuto;
  guint memory_limit_mib = 0;  // of the device; 0: none
  bool operator==(const ModelSettings& other) const {
    return model == other.model && device == other.device && precision == other.precision &&
           memory_limit_mib == other.memory_limit_mib;
  }
};

// What may change while frames are made.
struct Knobs {
  GstClockTime look_ahead = GST_CLOCK_TIME_NONE;  // NONE: the pack's default
  GstClockTime processing_time = 40 * GST_MSECOND;
  GstClockTime batch_timeout = 5 * GST_MSECOND;
  guint sampler_steps = 0;
  guint64 seed = 0;
  double expression_gain = 1.0;
  bool idle_motion = true;
  bool add_borders = true;
  bool label = false;
  bool post_messages = false;
};

// due = rendered + idle + dropped, always.
struct Counters {
  guint64 due = 0, rendered = 0, idle = 0, dropped = 0;
  guint64 render_ns_sum = 0, render_ns_max = 0;  // from submission to picture
};

// What a scene is made for: SceneOptions that own all that they hold.
struct SceneSetup {
  TargetFormat target;
  bool add_borders = true, idle_motion = true, label = false;
  guint64 seed = 0;
  guint sampler_steps = 0;  // 0: the pack's default
  double pixel_aspect = 1.0;
  bool operator==(const SceneSetup& other) const;
};

// Options that the engine's family does not have are left out.
Status MakeScene(Engine* engine, Face* face, const SceneSetup& setup, Scene** out);

// A portrait read and enrolled, perhaps already prepared for the output.
struct Identity {
  EngineRef<Face> face;
  EngineRef<Scene> scene;  // may be missing
  SceneSetup setup;        // of the scene
  uint32_t width = 0, height = 0;
};

// One frame on its way: between FrameClock and the source pad.
struct Frame {
  OutputFrame output;
  EngineRef<Controls> controls;
  uint64_t ticket = 0;
  guint64 number = 0;
  GstClockTime pts = 0, duration = 0;  // pts in the segment's own time
  uint64_t offset_ns = 0;
  bool idle = false;
  gint64 submitted_us = 0;
};

class Generator {
 public:
  explicit Generator(GstTalkFaceGen* element);
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // --- talkfacegen_properties.cpp: any thread
  void SetProperty(guint id, const GValue* value, GParamSpec* spec);
  void GetProperty(guint id, GValue* value, GParamSpec* spec);
  void Interrupt();

  // --- talkfacegen_engine.cpp: the thread that changes the state
  bool OpenEngine();
  void CloseEngine();
  bool Start();
  void Stop();
  void SetPlaying(bool playing) { playing_ = playing; }
  // Ends all waiting for the engine, and all rendering until Start or a flush's end.
  void BeginFlush();
  void UpdateLatency();

  // --- talkfacegen_negotiate.cpp: the streaming thread
  GstFlowReturn UpdateSourceCaps(GstCaps* caps, GstCaps** out);
  bool NegotiatedSourceCaps(GstCaps* caps);

  // --- talkfacegen_stream.cpp, talkfacegen_frames.cpp: the streaming thread
  GstFlowReturn Aggregate(bool timeout);
  // Running time at which Aggregate is wanted with or without audio, less the latency.
  GstClockTime NextTime();

  // --- talkfacegen_events.cpp
  GstFlowReturn SinkEventPreQueue(GstAggregatorPad* pad, GstEvent* event);
  bool SinkEvent(GstAggregatorPad* pad, GstEvent* event);
  bool SourceEvent(GstEvent* event);
  bool SourceQuery(GstQuery* query);
  // On the source pad: tags after the segment, and hidden flushes.
  GstPadProbeReturn SourceProbe(GstPadProbeInfo* info);

 private:
  // engine
  ModelSettings SettingsOfModel();
  Knobs SettingsNow();
  EngineRef<Engine> OpenedEngine();
  bool LoadIdentity(const std::string& path, Identity* out, GError** error, Status* status);
  void RequestIdentity();
  std::unique_ptr<Identity> LoadNextIdentity(const std::string& path);
  void FinishLoad(guint64 serial, std::unique_ptr<Identity> loaded);
  GstClockTime EffectiveLookAhead(const Knobs& knobs);
  void ApplyLookAhead();
  GstStructure* MakeStats();

  // negotiate
  SceneSetup SetupNow();
  GstFlowReturn AdoptIdentity();
  GstFlowReturn PrepareScene();

  // stream
  GstFlowReturn TakeSpeech();
  AudioPlace PlaceBuffer(GstBuffer* buffer) const;
  bool SkipAhead(const AudioPlace& place, GstBuffer* buffer);
  void RestartSpeech(uint64_t at_ns);
  void ForgetSpeech();
  void DropQueued();
  GstFlowReturn FeedAndRender(GstClockTimeDiff due_until);
  GstFlowReturn DrainSpeech();
  void CatchUp(GstClockTimeDiff due_until);
  GstClockTimeDiff DueUntil();
  GstClockTimeDiff RunningTime(GstClockTime pts) const;
  GstClockTimeDiff NextRunningTime() const;
  GstFlowReturn FailWith(const Status& status);

  // frames
  GstFlowReturn RenderDue(GstClockTimeDiff due_until);
  GstFlowReturn StartFrame(GstBufferPool* pool, bool wait, GstClockTimeDiff due_until,
                           std::unique_ptr<Frame>* out);
  bool NextIsDue(GstClockTimeDiff due_until, bool* idle) const;
  bool TakeNextFrame(GstClockTimeDiff due_until, Frame* frame, Status* status);
  bool DropLate(const Frame& frame);
  double GainFor(const Frame& frame);
  GstFlowReturn FinishFrame(Frame* frame);
  GstFlowReturn PushFrame(Frame* frame);
  void PostFrameMessage(const Frame& frame);
  void PostQos(const Frame& frame, GstClockTimeDiff late);
  void CountDropped(guint64 frames);
  void AbandonFrames(std::deque<std::unique_ptr<Frame>>* frames);

  // events
  bool HandleCaps(GstEvent* event);
  bool HandleSegment(GstEvent* event);
  void AdoptSegment(const GstSegment& segment);
  void HandleTags(GstEvent* event);
  void SendTags();
  void ForgetTags();
  void HandleFlushStart(GstAggregatorPad* pad, GstEvent* event);
  bool HandleFlushStop(GstAggregatorPad* pad, GstEvent* event);
  void RestartTask();
  bool HandleSeek(GstEvent* event);
  void HandleQos(GstEvent* event);
  bool IsSeekable();
  bool HandlePosition(GstQuery* query);
  bool HandleDuration(GstQuery* query);
  bool HandleLatency(GstQuery* query);

  GstAggregator* aggregator() const { return GST_AGGREGATOR(element_); }
  GstElement* element() const { return GST_ELEMENT(element_); }
  GstAggregatorPad* sink() const;
  GstPad* source() const { return GST_AGGREGATOR_SRC_PAD(element_); }

  GstTalkFaceGen* const element_;  // owns this

  // With the object lock.
  ModelSettings model_;
  Knobs knobs_;
  std::string identity_path_;
  EngineRef<Engine> engine_;
  ModelSettings opened_;  // what engine_ was opened with
  Counters counters_;
  QosGate qos_;
  bool streaming_ = false;  // READY->PAUSED is done: a new portrait is loaded at once
  guint64 frame_ns_ = GST_SECOND / 25;
  guint64 delay_ns_ = 0;  // of the resampler
  bool gain_warned_ = false;
  GstClockTime position_ = GST_CLOCK_TIME_NONE;  // end of the last frame, in the segment's own time
  GstSegment output_segment_;                    // segment_, for queries
  GstAudioInfo audio_info_;                      // of the input, for queries

  // With stream_mutex_.
  std::mutex stream_mutex_;
  std::unique_ptr<AudioTimeline> timeline_;
  EngineRef<Speech> speech_;
  FrameClock clock_;
  GstSegment segment_;        // of the output
  GstSegment audio_segment_;  // of the input
  gint64 audio_shift_ = 0;    // output time of the input segment's start, less the output's start
  uint64_t speech_base_ = 0;  // offset at which the speech object's time is 0
  bool drained_ = false;      // the speech in hand has ended
  bool begun_ = false;        // a frame of this segment was taken
  bool dropping_ = false;     // speech is forgotten until resume_segment_
  bool resume_pending_ = false;
  const GstEvent* resume_segment_ = nullptr;  // compared only while it is queued

  // Portraits that are loaded while playing.
  std::mutex identity_mutex_;
  std::condition_variable identity_done_;
  std::unique_ptr<Identity> next_identity_;
  guint64 identity_serial_ = 0;
  guint identity_loads_ = 0;
  bool target_known_ = false;  // the options to prepare a new portrait for
  SceneSetup target_setup_;

  // Streaming thread only, or with it stopped.
  Identity identity_;
  EngineRef<Renderer> renderer_;
  GstVideoInfo video_info_;
  bool negotiated_ = false;
  bool live_ = false;
  bool discont_ = true;
  GstFlowReturn event_flow_ = GST_FLOW_OK;  // of frames pushed while an event was handled

  // Any thread.
  std::atomic<bool> playing_{false};
  std::atomic<bool> flushing_{false};
  std::atomic<bool> live_hint_{false};  // live_, for other threads
  std::atomic<bool> seeking_{false};    // a flushing seek came through our source pad
  std::atomic<bool> hide_flush_{false};
  std::atomic<bool> ended_{false};  // the end of the stream was sent
  std::atomic<guint32> last_seek_{GST_SEQNUM_INVALID};

  // Streaming thread only: upstream's tags by scope (stream, global), sent before the next buffer.
  GstTagList* upstream_tags_[2] = {nullptr, nullptr};
  bool tags_pending_ = true;
};

// Property identifiers and the table that installs them: talkfacegen_properties.cpp.
void InstallProperties(GObjectClass* object_class);

// The one guard round every entry from C: what is thrown becomes an error message, and `fallback`
// is returned.
void PostException(GstElement* element, const char* what);
template <typename Result, typename Body>
Result Guarded(GstElement* element, Result fallback, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::exception& error) {
    PostException(element, error.what());
  } catch (...) {
    PostException(element, "unknown exception");
  }
  return fallback;
}

}  // namespace talkface

struct _GstTalkFaceGen {
  GstAggregator parent;
  GstPad* sink;                    // owned by the element
  talkface::Generator* generator;  // from init to finalize
};
