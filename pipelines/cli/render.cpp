// SPDX-License-Identifier: MIT
// talkface render: speech and a portrait in, a video file out.
#include <glib-unix.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "pipelines/cli/command.h"
#include "pipelines/cli/output_file.h"
#include "pipelines/cli/progress.h"
#include "pipelines/cli/render_pipeline.h"

namespace talkface::cli {
namespace {

constexpr guint kTickMs = 100;
constexpr int kMaxSide = 8192, kMaxFps = 120;

struct RenderArguments {
  std::string image, audio, output, model, device, size, fps;
  std::vector<std::string> sets;
  bool verbose = false;
};

// Runs one pipeline to its end on the main loop of this thread.
class RenderRun {
 public:
  RenderRun(RenderPipeline* pipeline, OutputFile* file, const RenderArguments& arguments)
      : pipeline_(pipeline), file_(file), arguments_(arguments) {}

  // Until the file is complete; throws Error with what failed. True: the user ended it early.
  bool Run();
  double Elapsed() const { return progress_.Elapsed(); }

 private:
  static gboolean OnBus(GstBus* bus, GstMessage* message, gpointer user);
  static gboolean OnTick(gpointer user);
  static gboolean OnSignal(gpointer user);
  void OnMessage(GstMessage* message);
  void OnError(GstMessage* message);
  void OnWarning(GstMessage* message);

  RenderPipeline* pipeline_;
  OutputFile* file_;
  const RenderArguments& arguments_;
  GMainLoop* loop_ = nullptr;
  Progress progress_;
  std::optional<std::string> failure_;
  bool interrupted_ = false;
};

bool RenderRun::Run() {
  loop_ = g_main_loop_new(nullptr, FALSE);
  GstBus* bus = gst_pipeline_get_bus(GST_PIPELINE(pipeline_->pipeline()));
  gst_bus_add_watch(bus, OnBus, this);
  const guint tick = g_timeout_add(kTickMs, OnTick, this);
  const guint signals[] = {g_unix_signal_add(SIGINT, OnSignal, this),
                           g_unix_signal_add(SIGTERM, OnSignal, this),
                           g_unix_signal_add(SIGHUP, OnSignal, this)};
  // What fails here is on the bus, which is read next.
  gst_element_set_state(pipeline_->pipeline(), GST_STATE_PLAYING);
  g_main_loop_run(loop_);
  gst_element_set_state(pipeline_->pipeline(), GST_STATE_NULL);
  for (const guint id : signals) g_source_remove(id);
  g_source_remove(tick);
  gst_bus_remove_watch(bus);
  gst_object_unref(bus);
  g_main_loop_unref(loop_);
  progress_.Clear();
  if (failure_) throw Error(*failure_);
  return interrupted_;
}

gboolean RenderRun::OnBus(GstBus*, GstMessage* message, gpointer user) {
  static_cast<RenderRun*>(user)->OnMessage(message);
  return G_SOURCE_CONTINUE;
}

gboolean RenderRun::OnTick(gpointer user) {
  auto* self = static_cast<RenderRun*>(user);
  self->progress_.Show("rendering", self->pipeline_->Position(), self->pipeline_->Duration());
  return G_SOURCE_CONTINUE;
}

// The first time the file is completed with what there is; the second time everything is dropped.
gboolean RenderRun::OnSignal(gpointer user) {
  auto* self = static_cast<RenderRun*>(user);
  self->progress_.Clear();
  if (self->interrupted_) {
    self->file_->Remove();
    fprintf(stderr, "talkface: stopped; nothing was written\n");
    _exit(130);
  }
  self->interrupted_ = true;
  fprintf(stderr, "talkface: completing the file; Ctrl-C again drops it\n");
  self->pipeline_->EndSpeech();
  return G_SOURCE_CONTINUE;
}

void RenderRun::OnMessage(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      OnError(message);
      break;
    case GST_MESSAGE_WARNING:
      OnWarning(message);
      break;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency(GST_BIN(pipeline_->pipeline()));
      break;
    case GST_MESSAGE_EOS:
      g_main_loop_quit(loop_);
      break;
    default:
      break;
  }
}

// The first error is the cause; those that follow are its echo.
void RenderRun::OnError(GstMessage* message) {
  g_main_loop_quit(loop_);
  if (failure_) return;
  GError* error = nullptr;
  char* detail = nullptr;
  gst_message_parse_error(message, &error, &detail);
  const std::string source = GST_MESSAGE_SRC_NAME(message);
  if (source == "face") {
    failure_ = error->message;
  } else if (g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT)) {
    failure_ = "cannot write '" + arguments_.output + "': no space left on the disk";
  } else if (source == "file") {
    failure_ = "cannot write '" + arguments_.output + "': " + error->message;
  } else if (!pipeline_->HasSound()) {
    failure_ = "cannot read speech from '" + arguments_.audio + "': " + error->message;
  } else {
    failure_ = error->message;
  }
  if (arguments_.verbose && detail != nullptr) *failure_ += "\n" + source + ": " + detail;
  g_error_free(error);
  g_free(detail);
}

void RenderRun::OnWarning(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_warning(message, &error, nullptr);
  progress_.Clear();
  fprintf(stderr, "talkface: warning: %s\n", error->message);
  g_error_free(error);
}

void ParseSize(const std::string& text, RenderOptions* options) {
  int end = 0;
  const bool read = sscanf(text.c_str(), "%dx%d%n", &options->width, &options->height, &end) == 2;
  const auto fits = [](int side) { return side >= 16 && side <= kMaxSide && side % 2 == 0; };
  if (!read || static_cast<size_t>(end) != text.size() || !fits(options->width) ||
      !fits(options->height))
    throw Error("--size " + text + ": give WIDTHxHEIGHT in even pixels from 16 to " +
                std::to_string(kMaxSide) + ", such as 1280x720");
}

void ParseFps(const std::string& text, RenderOptions* options) {
  int end = 0;
  bool read = sscanf(text.c_str(), "%d/%d%n", &options->fps_num, &options->fps_den, &end) == 2 &&
              static_cast<size_t>(end) == text.size();
  if (!read) {
    options->fps_den = 1;
    read = sscanf(text.c_str(), "%d%n", &options->fps_num, &end) == 1 &&
           static_cast<size_t>(end) == text.size();
  }
  if (!read || options->fps_num < 1 || options->fps_den < 1 ||
      options->fps_num > int64_t{kMaxFps} * options->fps_den || options->fps_num < options->fps_den)
    throw Error("--fps " + text + ": give frames per second from 1 to " + std::to_string(kMaxFps) +
                " as N or N/D, such as 25 or 30000/1001");
}

RenderOptions ParseOptions(const RenderArguments& arguments) {
  RenderOptions options;
  options.image = arguments.image;
  options.audio = arguments.audio;
  options.output = arguments.output;
  options.model = arguments.model;
  options.device = arguments.device;
  if (!arguments.size.empty()) ParseSize(arguments.size, &options);
  if (!arguments.fps.empty()) ParseFps(arguments.fps, &options);
  for (const std::string& set : arguments.sets) {
    const size_t equals = set.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw Error("--set " + set + ": give PROPERTY=VALUE, such as idle-motion=false");
    options.properties.emplace_back(set.substr(0, equals), set.substr(equals + 1));
  }
  return options;
}

// Before anything is loaded: the commonest mistakes, said at once.
void RequireReadable(const std::string& what, const std::string& path) {
  struct stat info;
  int error = 0;
  if (stat(path.c_str(), &info) != 0)
    error = errno;
  else if (S_ISDIR(info.st_mode))
    error = EISDIR;
  else if (access(path.c_str(), R_OK) != 0)
    error = errno;
  if (error != 0) throw Error("cannot read " + what + " '" + path + "': " + strerror(error));
}

int RunRender(const RenderArguments& arguments) {
  const FileType& type = FileTypeOf(arguments.output);
  const RenderOptions options = ParseOptions(arguments);
  RequireReadable("the portrait", arguments.image);
  RequireReadable("the speech", arguments.audio);
  OutputFile file(arguments.output);
  RenderPipeline pipeline(options, type, file.part());
  RenderRun run(&pipeline, &file, arguments);
  const bool interrupted = run.Run();
  if (pipeline.frames() == 0) {
    if (interrupted) throw Error("stopped before the first frame; nothing was written");
    throw Error("'" + arguments.audio + "' holds no sound");
  }
  file.Keep();
  printf("%s: %llu frames, %.2f s of video in %.2f s (%.1f x real time)%s\n",
         arguments.output.c_str(), static_cast<unsigned long long>(pipeline.frames()),
         pipeline.Position(), run.Elapsed(), pipeline.Position() / run.Elapsed(),
         interrupted ? ", ended early by you" : "");
  return 0;
}

}  // namespace

void AddRender(CLI::App* app, Command* chosen) {
  auto arguments = std::make_shared<RenderArguments>();
  CLI::App* sub =
      app->add_subcommand("render", "Make a talking-face video of a portrait and speech");
  sub->add_option("-i,--image", arguments->image, "Portrait: JPEG, PNG or WebP")->required();
  sub->add_option("-a,--audio", arguments->audio, "Speech: any file with sound")->required();
  sub->add_option("-o,--output", arguments->output, "Video to write: .mp4, .mkv or .webm")
      ->required();
  sub->add_option("-m,--model", arguments->model,
                  "Model pack: name or folder (see talkface models)");
  sub->add_option("-d,--device", arguments->device,
                  "auto, cpu, cuda or cuda:N (see talkface devices)");
  sub->add_option("-s,--size", arguments->size,
                  "Size of the video, such as 1280x720; default: the portrait's");
  sub->add_option("-f,--fps", arguments->fps,
                  "Frames per second, such as 25 or 30000/1001; default: 25");
  sub->add_option("--set", arguments->sets,
                  "Any property of talkfacegen, such as idle-motion=false; may be repeated")
      ->type_name("PROPERTY=VALUE")
      ->allow_extra_args(false);
  sub->add_flag("-v,--verbose", arguments->verbose, "Add details for developers to errors");
  sub->footer(
      "Ctrl-C completes the file with what has been rendered so far; a second Ctrl-C drops it.");
  sub->callback([arguments, chosen] { *chosen = [arguments] { return RunRender(*arguments); }; });
}

}  // namespace talkface::cli
