// SPDX-License-Identifier: MIT
// Engine, portrait and latency: what happens when the state changes or a setting does.
#include <algorithm>
#include <utility>

#include "elements/talkfacegen_private.h"
#include "gst/bus_messages.h"
#include "gst/engine_loader.h"
#include "gst/image_file.h"

#define GST_CAT_DEFAULT talkfacegen_debug

namespace talkface {
namespace {

constexpr const char* kLoadModel = "load-model";

}  // namespace

Generator::Generator(GstTalkFaceGen* element) : element_(element) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  gst_segment_init(&audio_segment_, GST_FORMAT_TIME);
  gst_segment_init(&output_segment_, GST_FORMAT_TIME);
  gst_video_info_init(&video_info_);
  gst_audio_info_init(&audio_info_);
}

Generator::~Generator() { ForgetTags(); }

GstAggregatorPad* Generator::sink() const { return GST_AGGREGATOR_PAD(element_->sink); }

ModelSettings Generator::SettingsOfModel() {
  GST_OBJECT_LOCK(element_);
  ModelSettings model = model_;
  GST_OBJECT_UNLOCK(element_);
  return model;
}

Knobs Generator::SettingsNow() {
  GST_OBJECT_LOCK(element_);
  const Knobs knobs = knobs_;
  GST_OBJECT_UNLOCK(element_);
  return knobs;
}

EngineRef<Engine> Generator::OpenedEngine() {
  GST_OBJECT_LOCK(element_);
  EngineRef<Engine> engine = engine_;
  GST_OBJECT_UNLOCK(element_);
  return engine;
}

// NULL->READY, and again at READY->PAUSED where the model was changed in between.
bool Generator::OpenEngine() {
  const ModelSettings model = SettingsOfModel();
  PostProgress(element(), GST_PROGRESS_TYPE_START, kLoadModel, "Loading the model");
  GError* error = nullptr;
  const EngineLibrary* library = LoadEngine(&error);
  if (library == nullptr) {
    PostProgress(element(), GST_PROGRESS_TYPE_ERROR, kLoadModel, error->message);
    PostError(element(), error);
    g_error_free(error);
    return false;
  }
  EngineOptions options;
  options.model = model.model.c_str();
  options.device = model.device.c_str();
  options.precision = model.precision;
  options.device_memory_limit = uint64_t{model.memory_limit_mib} << 20;
  options.user = element();
  options.progress = [](void* user, int percent, const char* what) {
    char* text = g_strdup_printf("%d %%: %s", percent, what);
    PostProgress(static_cast<GstElement*>(user), GST_PROGRESS_TYPE_CONTINUE, kLoadModel, text);
    g_free(text);
  };
  EngineRef<Engine> engine;
  const Status status = library->open(kEngineAbi, &options, engine.Out());
  if (!status.ok()) {
    PostProgress(element(), GST_PROGRESS_TYPE_ERROR, kLoadModel, status.message);
    PostStatus(element(), status);
    return false;
  }
  const EngineInfo& info = engine->Info();
  GST_INFO_OBJECT(element_, "opened model %s %s (family %s) on %s", info.name, info.version,
                  info.family, info.device);
  if (info.warning[0] != '\0')
    GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS, ("%s: %s", info.name, info.warning),
                        (nullptr));
  GST_OBJECT_LOCK(element_);
  std::swap(engine_, engine);
  opened_ = model;
  GST_OBJECT_UNLOCK(element_);
  PostProgress(element(), GST_PROGRESS_TYPE_COMPLETE, kLoadModel, "Model loaded");
  UpdateLatency();
  return true;
}

void Generator::CloseEngine() {
  EngineRef<Engine> engine;
  GST_OBJECT_LOCK(element_);
  std::swap(engine_, engine);
  GST_OBJECT_UNLOCK(element_);
}

bool Generator::Start() {
  GST_OBJECT_LOCK(element_);
  const bool changed = !(opened_ == model_);
  const std::string path = identity_path_;
  GST_OBJECT_UNLOCK(element_);
  if (changed && !OpenEngine()) return false;
  if (path.empty()) {
    GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS,
                      ("No portrait is given: set identity-image to the file of one."), (nullptr));
    return false;
  }
  GError* error = nullptr;
  Status status;
  if (!LoadIdentity(path, &identity_, &error, &status)) {
    if (error != nullptr) PostError(element(), error);
    g_clear_error(&error);
    PostStatus(element(), status);
    return false;
  }
  EngineRef<Engine> engine = OpenedEngine();
  EngineRef<Speech> speech;
  status = engine->OpenSpeech(speech.Out());
  if (status.ok()) status = engine->CreateRenderer(renderer_.Out());
  if (!status.ok()) {
    PostStatus(element(), status);
    return false;
  }
  {
    std::lock_guard<std::mutex> lock(stream_mutex_);
    speech_ = std::move(speech);
    timeline_ = std::make_unique<AudioTimeline>(engine->Info().sample_rate_hz);
    gst_segment_init(&audio_segment_, GST_FORMAT_UNDEFINED);
    GstSegment start;
    gst_segment_init(&start, GST_FORMAT_TIME);
    AdoptSegment(start);
    clock_.SetRate(25, 1);
    dropping_ = resume_pending_ = false;
  }
  GST_OBJECT_LOCK(element_);
  counters_ = Counters();
  qos_.Reset();
  position_ = GST_CLOCK_TIME_NONE;
  gain_warned_ = false;
  delay_ns_ = 0;
  frame_ns_ = GST_SECOND / 25;
  streaming_ = true;
  GST_OBJECT_UNLOCK(element_);
  negotiated_ = live_ = ended_ = false;
  last_seek_ = GST_SEQNUM_INVALID;
  discont_ = true;
  event_flow_ = GST_FLOW_OK;
  flushing_ = seeking_ = hide_flush_ = live_hint_ = false;
  ForgetTags();
  ApplyLookAhead();
  gst_aggregator_set_latency(aggregator(), 0, GST_CLOCK_TIME_NONE);
  UpdateLatency();
  return true;
}

// The task has ended.
void Generator::Stop() {
  GST_OBJECT_LOCK(element_);
  streaming_ = false;
  GST_OBJECT_UNLOCK(element_);
  {
    std::unique_lock<std::mutex> lock(identity_mutex_);
    identity_done_.wait(lock, [&] { return identity_loads_ == 0; });
    next_identity_.reset();
    target_known_ = false;
  }
  renderer_.Clear();
  identity_ = Identity();
  std::lock_guard<std::mutex> lock(stream_mutex_);
  speech_.Clear();
  timeline_.reset();
}

void Generator::BeginFlush() {
  flushing_ = true;
  if (renderer_) renderer_->Cancel();
  std::lock_guard<std::mutex> lock(identity_mutex_);
  identity_done_.notify_all();
}

// Reads and enrols; fails with either `error` or `status`.
bool Generator::LoadIdentity(const std::string& path, Identity* out, GError** error,
                             Status* status) {
  RgbaImage image;
  if (!ReadImageFile(path.c_str(), &image, error)) return false;
  EngineRef<Engine> engine = OpenedEngine();
  const Pixels pixels{image.data.data(), image.width, image.height, size_t{4} * image.width};
  Identity identity;
  const Status enrolled = engine->Enrol(pixels, identity.face.Out());
  if (!enrolled.ok()) {
    *status = enrolled;
    g_snprintf(status->message, sizeof status->message, "%s: %s", path.c_str(), enrolled.message);
    return false;
  }
  identity.width = image.width;
  identity.height = image.height;
  const char* warning = identity.face->Info().warning;
  if (warning[0] != '\0')
    GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS, ("%s: %s", path.c_str(), warning), (nullptr));
  *out = std::move(identity);
  return true;
}

// A portrait set while streaming is loaded beside the stream; frames go on with the old one.
void Generator::RequestIdentity() {
  GST_OBJECT_LOCK(element_);
  const bool streaming = streaming_;
  const std::string path = identity_path_;
  GST_OBJECT_UNLOCK(element_);
  if (!streaming) return;
  struct Request {
    Generator* generator;
    std::string path;
    guint64 serial;
  };
  auto* request = new Request{this, path, 0};
  {
    std::lock_guard<std::mutex> lock(identity_mutex_);
    request->serial = ++identity_serial_;
    ++identity_loads_;
  }
  gst_element_call_async(
      element(),
      [](GstElement* element, gpointer data) {
        const auto* job = static_cast<Request*>(data);
        std::unique_ptr<Identity> loaded = Guarded(element, std::unique_ptr<Identity>(), [&] {
          return job->generator->LoadNextIdentity(job->path);
        });
        job->generator->FinishLoad(job->serial, std::move(loaded));
      },
      request, [](gpointer data) { delete static_cast<Request*>(data); });
}

std::unique_ptr<Identity> Generator::LoadNextIdentity(const std::string& path) {
  auto identity = std::make_unique<Identity>();
  GError* error = nullptr;
  Status status;
  if (!LoadIdentity(path, identity.get(), &error, &status)) {
    if (error != nullptr) PostWarning(element(), error);
    g_clear_error(&error);
    PostWarning(element(), status);
    return nullptr;
  }
  bool prepare = false;
  {
    std::lock_guard<std::mutex> lock(identity_mutex_);
    prepare = target_known_;
    identity->setup = target_setup_;
  }
  if (!prepare) return identity;
  status =
      MakeScene(OpenedEngine().get(), identity->face.get(), identity->setup, identity->scene.Out());
  PostWarning(element(), status);
  return status.ok() ? std::move(identity) : nullptr;
}

void Generator::FinishLoad(guint64 serial, std::unique_ptr<Identity> loaded) {
  std::lock_guard<std::mutex> lock(identity_mutex_);
  if (loaded && serial == identity_serial_) next_identity_ = std::move(loaded);
  --identity_loads_;
  identity_done_.notify_all();
}

GstClockTime Generator::EffectiveLookAhead(const Knobs& knobs) {
  EngineRef<Engine> engine = OpenedEngine();
  if (!engine) return knobs.look_ahead;
  const EngineInfo& info = engine->Info();
  if (!GST_CLOCK_TIME_IS_VALID(knobs.look_ahead)) return info.look_ahead_default_ns;
  return std::clamp<GstClockTime>(knobs.look_ahead, info.look_ahead_min_ns, info.look_ahead_max_ns);
}

void Generator::ApplyLookAhead() {
  const GstClockTime look_ahead = EffectiveLookAhead(SettingsNow());
  std::lock_guard<std::mutex> lock(stream_mutex_);
  if (speech_ && GST_CLOCK_TIME_IS_VALID(look_ahead)) speech_->SetLookAhead(look_ahead);
}

// The base class's pad queue and deadline follow its `latency` property alone, so ours goes there;
// setting it posts a LATENCY message when it changed.
void Generator::UpdateLatency() {
  const Knobs knobs = SettingsNow();
  const GstClockTime look_ahead = EffectiveLookAhead(knobs);
  GST_OBJECT_LOCK(element_);
  guint64 latency = frame_ns_ + delay_ns_ + knobs.processing_time;
  GST_OBJECT_UNLOCK(element_);
  if (GST_CLOCK_TIME_IS_VALID(look_ahead)) latency += look_ahead;
  guint64 current = 0;
  g_object_get(element_, "latency", &current, nullptr);
  if (current == latency) return;
  GST_INFO_OBJECT(element_, "latency is %" GST_TIME_FORMAT, GST_TIME_ARGS(latency));
  g_object_set(element_, "latency", latency, nullptr);
}

GstStructure* Generator::MakeStats() {
  Stats engine_stats;
  EngineRef<Engine> engine = OpenedEngine();
  if (engine) engine->GetStats(&engine_stats);
  GST_OBJECT_LOCK(element_);
  const Counters counters = counters_;
  GST_OBJECT_UNLOCK(element_);
  const guint64 drawn = counters.rendered + counters.idle;
  const double batch_mean = engine_stats.batches > 0 ? static_cast<double>(engine_stats.frames) /
                                                           static_cast<double>(engine_stats.batches)
                                                     : 0.0;
  return gst_structure_new(
      "application/x-talkfacegen-stats", "due", G_TYPE_UINT64, counters.due, "rendered",
      G_TYPE_UINT64, counters.rendered, "idle", G_TYPE_UINT64, counters.idle, "dropped",
      G_TYPE_UINT64, counters.dropped, "render-time-mean", G_TYPE_UINT64,
      drawn > 0 ? counters.render_ns_sum / drawn : guint64{0}, "render-time-max", G_TYPE_UINT64,
      counters.render_ns_max, "batch-size-mean", G_TYPE_DOUBLE, batch_mean, "batch-size-max",
      G_TYPE_UINT64, engine_stats.batch_max, nullptr);
}

}  // namespace talkface
