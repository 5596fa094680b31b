// SPDX-License-Identifier: MIT
// streams [--streams=N] [--offline=N] [--seconds=S] [--size=PIXELS] [--model=PACK] --image=FILE
// --audio=FILE: live streams in one process, each fed the speech (16 kHz mono WAV, in a loop) as it
// would be spoken, into synchronised sinks; beside them offline ones, of noise, as fast as they
// get. Prints one line of NAME=VALUE: frames of the live streams, those idle, dropped or late at
// the sink while speech played, and the mean time from job to picture; processor time in percent of
// all cores, resident memory, the element's latency; frames of the offline streams.
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/options.h"

namespace {

constexpr int kRate = 16000;
constexpr GstClockTime kChunk = 20 * GST_MSECOND;
constexpr gsize kChunkBytes = kRate / 50 * sizeof(int16_t);
constexpr gsize kWavHeader = 44;
constexpr double kWarmUp = 3;                      // seconds that do not count
constexpr GstClockTime kGrace = 20 * GST_MSECOND;  // a sink's own processing deadline

struct Options {
  int streams = 12, offline = 0, size = 512;
  double seconds = 60;
  char *image = nullptr, *audio = nullptr, *model = nullptr;
};

struct Counts {
  guint64 due = 0, idle = 0, dropped = 0;
  guint64 render_ns = 0;  // mean from job to picture, since the start
};

[[noreturn]] void Die(const std::string& text) {
  std::fprintf(stderr, "streams: %s\n", text.c_str());
  std::exit(2);
}

Options Parse(int* argc, char*** argv) {
  static Options options;
  const GOptionEntry entries[] = {
      {"streams", 0, 0, G_OPTION_ARG_INT, &options.streams, "live streams", "N"},
      {"offline", 0, 0, G_OPTION_ARG_INT, &options.offline, "offline streams", "N"},
      {"model", 0, 0, G_OPTION_ARG_STRING, &options.model, "instead of the default", "PACK"},
      {"size", 0, 0, G_OPTION_ARG_INT, &options.size, "width and height of the video", "PIXELS"},
      {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &options.seconds, "how long to play", "S"},
      {"image", 0, 0, G_OPTION_ARG_FILENAME, &options.image, "portrait", "FILE"},
      {"audio", 0, 0, G_OPTION_ARG_FILENAME, &options.audio, "speech", "FILE"},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};
  talkface::bench::ParseOptions(entries, argc, argv);
  if (options.image == nullptr || options.audio == nullptr) Die("give --image and --audio");
  if (options.streams < 1) Die("--streams must be 1 or more");
  return options;
}

double CpuSeconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

double ResidentMb() {
  long pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

class Streams {
 public:
  explicit Streams(const Options& options);
  ~Streams();
  void Play();

 private:
  static GstPadProbeReturn OnFrame(GstPad* pad, GstPadProbeInfo* info, gpointer user);
  void SetFace(GstElement* face) const;
  void AddOffline();
  void Feed(guint64 chunk);
  void FeedUntil(GstClockTime running_time);
  // Of these elements, together.
  static Counts Count(const std::vector<GstElement*>& faces);
  void CheckBus() const;

  const Options& options_;
  std::string speech_;  // whole chunks of samples
  GstElement *pipeline_ = nullptr, *offline_ = nullptr;
  std::vector<GstElement*> faces_, sources_, offline_faces_;
  guint64 fed_ = 0;
  std::atomic<guint64> late_{0};
  std::atomic<GstClockTime> latency_{0};
};

Streams::Streams(const Options& options) : options_(options) {
  std::ifstream file(options.audio, std::ios::binary);
  speech_.assign(std::istreambuf_iterator<char>(file), {});
  if (speech_.size() < kWavHeader + kChunkBytes) Die(std::string(options.audio) + " is no speech");
  speech_.erase(0, kWavHeader);
  speech_.resize(speech_.size() / kChunkBytes * kChunkBytes);
  std::string text;
  for (int i = 0; i < options.streams; ++i) {
    const std::string n = std::to_string(i), size = std::to_string(options.size);
    text += "appsrc name=source" + n +
            " is-live=true format=time min-latency=20000000 "
            "caps=audio/x-raw,format=S16LE,rate=16000,channels=1,layout=interleaved "
            "! talkfacegen name=face" +
            n + " ! video/x-raw,format=I420,framerate=25/1,width=" + size + ",height=" + size +
            " ! fakesink name=sink" + n + " sync=true ";
  }
  pipeline_ = gst_parse_launch(text.c_str(), nullptr);
  for (int i = 0; i < options.streams; ++i) {
    const auto named = [&](const char* name) {
      return gst_bin_get_by_name(GST_BIN(pipeline_), (name + std::to_string(i)).c_str());
    };
    faces_.push_back(named("face"));
    sources_.push_back(named("source"));
    SetFace(faces_.back());
    GstElement* sink = named("sink");
    GstPad* pad = gst_element_get_static_pad(sink, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, OnFrame, this, nullptr);
    gst_object_unref(pad);
    gst_object_unref(sink);
  }
  if (options.offline > 0) AddOffline();
}

void Streams::SetFace(GstElement* face) const {
  g_object_set(face, "identity-image", options_.image, nullptr);
  if (options_.model != nullptr) g_object_set(face, "model", options_.model, nullptr);
}

// In a pipeline of their own, which nothing holds back.
void Streams::AddOffline() {
  std::string text;
  for (int i = 0; i < options_.offline; ++i) {
    const std::string n = std::to_string(i), size = std::to_string(options_.size);
    text += "audiotestsrc wave=pink-noise ! audio/x-raw,rate=16000 ! talkfacegen name=face" + n +
            " ! video/x-raw,format=I420,framerate=25/1,width=" + size + ",height=" + size +
            " ! fakesink sync=false ";
  }
  offline_ = gst_parse_launch(text.c_str(), nullptr);
  for (int i = 0; i < options_.offline; ++i) {
    offline_faces_.push_back(
        gst_bin_get_by_name(GST_BIN(offline_), ("face" + std::to_string(i)).c_str()));
    SetFace(offline_faces_.back());
  }
}

Streams::~Streams() {
  if (offline_ != nullptr) {
    gst_element_set_state(offline_, GST_STATE_NULL);
    for (GstElement* face : offline_faces_) gst_object_unref(face);
    gst_object_unref(offline_);
  }
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  for (GstElement* face : faces_) gst_object_unref(face);
  for (GstElement* source : sources_) gst_object_unref(source);
  gst_object_unref(pipeline_);
}

// A frame is late when the sink gets it after the moment at which it is to be shown.
GstPadProbeReturn Streams::OnFrame(GstPad*, GstPadProbeInfo* info, gpointer user) {
  auto* self = static_cast<Streams*>(user);
  const GstClockTime now = gst_element_get_current_running_time(self->pipeline_);
  const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
  if (now != GST_CLOCK_TIME_NONE && pts > kWarmUp * GST_SECOND &&
      now > pts + self->latency_ + kGrace)
    ++self->late_;
  return GST_PAD_PROBE_OK;
}

void Streams::Feed(guint64 chunk) {
  for (GstElement* source : sources_) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, kChunkBytes, nullptr);
    gst_buffer_fill(buffer, 0, &speech_[chunk * kChunkBytes % speech_.size()], kChunkBytes);
    GST_BUFFER_PTS(buffer) = chunk * kChunk;
    GST_BUFFER_DURATION(buffer) = kChunk;
    gst_app_src_push_buffer(GST_APP_SRC(source), buffer);
  }
}

void Streams::FeedUntil(GstClockTime running_time) {
  while (true) {
    const GstClockTime now = gst_element_get_current_running_time(pipeline_);
    if (now != GST_CLOCK_TIME_NONE && now >= running_time) return;
    while (now != GST_CLOCK_TIME_NONE && (fed_ + 1) * kChunk <= now) Feed(fed_++);
    CheckBus();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void Streams::CheckBus() const {
  GstBus* bus = gst_pipeline_get_bus(GST_PIPELINE(pipeline_));
  while (GstMessage* message = gst_bus_pop_filtered(
             bus, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_LATENCY))) {
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY) {
      gst_bin_recalculate_latency(GST_BIN(pipeline_));
    } else {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      Die(error->message);
    }
    gst_message_unref(message);
  }
  gst_object_unref(bus);
}

Counts Streams::Count(const std::vector<GstElement*>& faces) {
  Counts counts;
  for (GstElement* face : faces) {
    GstStructure* stats = nullptr;
    guint64 due = 0, idle = 0, dropped = 0, render_ns = 0;
    g_object_get(face, "stats", &stats, nullptr);
    gst_structure_get(stats, "due", G_TYPE_UINT64, &due, "idle", G_TYPE_UINT64, &idle, "dropped",
                      G_TYPE_UINT64, &dropped, "render-time-mean", G_TYPE_UINT64, &render_ns,
                      nullptr);
    gst_structure_free(stats);
    counts.render_ns += render_ns / faces.size();
    counts.due += due;
    counts.idle += idle;
    counts.dropped += dropped;
  }
  return counts;
}

void Streams::Play() {
  if (offline_ != nullptr) gst_element_set_state(offline_, GST_STATE_PLAYING);
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  FeedUntil(static_cast<GstClockTime>(kWarmUp / 2 * GST_SECOND));
  GstQuery* query = gst_query_new_latency();
  GstClockTime latency = 0;
  if (gst_element_query(pipeline_, query))
    gst_query_parse_latency(query, nullptr, &latency, nullptr);
  gst_query_unref(query);
  latency_ = latency;
  FeedUntil(static_cast<GstClockTime>(kWarmUp * GST_SECOND));
  const Counts before = Count(faces_), offline_before = Count(offline_faces_);
  const double cpu_before = CpuSeconds();
  FeedUntil(static_cast<GstClockTime>((kWarmUp + options_.seconds) * GST_SECOND));
  const Counts after = Count(faces_), offline_after = Count(offline_faces_);
  GstClockTime of_element = 0;
  g_object_get(faces_.front(), "latency", &of_element, nullptr);
  const double cpu = (CpuSeconds() - cpu_before) / options_.seconds;
  std::printf(
      "streams=%d frames=%lu idle=%lu dropped=%lu late=%lu cpu_percent=%.1f rss_mb=%.0f "
      "latency_ms=%.0f render_ms=%.1f offline_frames=%lu\n",
      options_.streams, after.due - before.due, after.idle - before.idle,
      after.dropped - before.dropped, late_.load(), 100 * cpu / std::thread::hardware_concurrency(),
      ResidentMb(), static_cast<double>(of_element) / GST_MSECOND,
      static_cast<double>(after.render_ns) / GST_MSECOND, offline_after.due - offline_before.due);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = Parse(&argc, &argv);
  Streams(options).Play();
  return 0;
}
