// SPDX-License-Identifier: MIT
// talkface prepare: makes video clips of speakers ready for training, one file a clip.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>

#include "models/training/clips/prepared_clip.h"
#include "pipelines/cli/clip_reader.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/engine.h"
#include "pipelines/cli/paths.h"
#include "pipelines/cli/progress.h"

namespace talkface::cli {
namespace {

namespace fs = std::filesystem;
using auwarp::PreparedClip;

constexpr double kLeastFaceShare = 0.5;  // of a clip's frames; a clip with less is left out

struct PrepareOptions {
  std::vector<std::string> clips;
  std::string output, speaker = "folder", model = "auwarp";
  unsigned jobs = 0;
};

// Letters, digits and '-', as PreparedClip wants its names.
std::string PlainName(std::string text) {
  for (char& c : text)
    if (!isalnum(static_cast<unsigned char>(c))) c = '-';
  return text;
}

// "x_m_asian_a" and "x_m_asian_b" are one speaker.
std::string SpeakerOfFile(const std::string& stem) {
  const size_t size = stem.size();
  const bool take =
      size > 2 && stem[size - 2] == '_' && isalpha(static_cast<unsigned char>(stem.back()));
  return take ? stem.substr(0, size - 2) : stem;
}

PreparedClip NameClip(const fs::path& path, const std::string& rule) {
  PreparedClip clip;
  const std::string stem = path.stem();
  clip.clip = PlainName(stem);
  clip.source = path.filename();
  clip.tool = "talkface " TALKFACE_VERSION;
  if (rule == "folder")
    clip.speaker = PlainName(fs::absolute(path).parent_path().filename());
  else
    clip.speaker = PlainName(rule == "file" ? SpeakerOfFile(stem) : rule);
  return clip;
}

// Follows the face through the clip, and fills times, landmarks and sound.
void ReadClip(const fs::path& path, const OpenedEngine& engine, PreparedClip* clip) {
  ClipReader reader(path);
  FaceInfo face, before;
  bool followed = false;
  size_t with_face = 0;
  reader.Read([&](const Pixels& picture, double seconds) {
    const bool found = engine->FindFace(picture, followed ? &before : nullptr, &face).ok();
    clip->times.push_back(seconds);
    if (found) {
      if (face.landmark_count != auwarp::kClipPoints)
        throw Error("the model finds " + std::to_string(face.landmark_count) +
                    " landmarks instead of a face mesh's " + std::to_string(auwarp::kClipPoints) +
                    ": choose another with --model");
      const float* points = &face.landmarks[0][0];
      clip->landmarks.insert(clip->landmarks.end(), points, points + 3 * auwarp::kClipPoints);
      before = face;
      ++with_face;
    } else {
      clip->landmarks.resize(clip->landmarks.size() + 3 * auwarp::kClipPoints,
                             std::numeric_limits<float>::quiet_NaN());
    }
    followed = found;
  });
  const size_t frames = clip->times.size();
  if (frames < 2) throw Error("it has fewer than two frames");
  if (static_cast<double>(with_face) < kLeastFaceShare * static_cast<double>(frames))
    throw Error("a face was found in " + std::to_string(with_face) + " of " +
                std::to_string(frames) + " frames only");
  clip->fps = static_cast<double>(frames - 1) / (clip->times.back() - clip->times.front());
  clip->audio = reader.Sound();
}

// All clips of one run; workers take one after the other.
class PrepareRun {
 public:
  PrepareRun(const PrepareOptions& options, std::vector<fs::path> paths)
      : options_(options), paths_(std::move(paths)), engine_(options.model, "cpu") {}

  int Run() {
    const unsigned jobs = options_.jobs > 0 ? options_.jobs : std::thread::hardware_concurrency();
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < std::max(jobs, 1u); ++i) workers.emplace_back([this] { Work(); });
    for (std::thread& worker : workers) worker.join();
    progress_.Clear();
    printf("%s: %zu clips prepared, %zu there already, %zu left out\n", options_.output.c_str(),
           prepared_, there_, left_out_);
    return prepared_ + there_ > 0 ? 0 : 1;
  }

 private:
  void Work() {
    for (size_t i = next_++; i < paths_.size(); i = next_++) {
      std::string problem;
      bool there = false;
      try {
        there = !Prepare(paths_[i]);
      } catch (const std::exception& error) {
        problem = error.what();
      }
      std::lock_guard<std::mutex> lock(mutex_);
      Tell(paths_[i], there, problem);
    }
  }

  // False: it was there already.
  bool Prepare(const fs::path& path) {
    PreparedClip clip = NameClip(path, options_.speaker);
    const std::string target = auwarp::PreparedClipPath(options_.output, clip);
    if (fs::exists(target)) return false;
    ReadClip(path, engine_, &clip);
    auwarp::CompletePreparedClip(&clip);
    const std::string part = target + ".part";
    auwarp::WritePreparedClip(part, clip);
    fs::rename(part, target);
    return true;
  }

  void Tell(const fs::path& path, bool there, const std::string& problem) {  // mutex_ is held
    progress_.Clear();
    if (!problem.empty()) {
      ++left_out_;
      fprintf(stderr, "talkface: left out %s: %s\n", path.c_str(), problem.c_str());
    } else {
      ++(there ? there_ : prepared_);
    }
    const size_t done = prepared_ + there_ + left_out_;
    progress_.ShowCount("preparing", done, paths_.size());
  }

  const PrepareOptions& options_;
  const std::vector<fs::path> paths_;
  const OpenedEngine engine_;
  std::atomic<size_t> next_{0};
  std::mutex mutex_;  // guards the rest
  Progress progress_;
  size_t prepared_ = 0, there_ = 0, left_out_ = 0;
};

// Folders stand for the files in them.
std::vector<fs::path> ListClips(const std::vector<std::string>& names) {
  std::vector<fs::path> paths;
  for (const std::string& name : names) {
    if (!fs::exists(name)) throw Error("cannot read '" + name + "': No such file or directory");
    if (!fs::is_directory(name)) {
      paths.emplace_back(name);
      continue;
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(name))
      if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

int RunPrepare(const PrepareOptions& options) {
  std::vector<fs::path> paths = ListClips(options.clips);
  std::error_code error;
  fs::create_directories(options.output, error);
  if (error) throw Error("cannot make the folder '" + options.output + "': " + error.message());
  return PrepareRun(options, std::move(paths)).Run();
}

}  // namespace

void AddPrepare(CLI::App* app, Command* chosen) {
  auto options = std::make_shared<PrepareOptions>();
  CLI::App* sub = app->add_subcommand("prepare", "Make video clips of speakers ready for training");
  sub->add_option("clips", options->clips, "Clips, or folders of clips")->required();
  sub->add_option("-o,--output", options->output,
                  "Folder to write SPEAKER_CLIP.safetensors to; what is there is kept")
      ->required();
  sub->add_option("--speaker", options->speaker,
                  "Who speaks: folder (the clip's folder names them), file (the file name does, "
                  "less a last _a, _b, ...), or a name for all")
      ->capture_default_str();
  sub->add_option("-m,--model", options->model, "Model pack whose face finder is used")
      ->capture_default_str();
  sub->add_option("-j,--jobs", options->jobs, "Clips at once; default: one a processor core");
  sub->callback([options, chosen] { *chosen = [options] { return RunPrepare(*options); }; });
}

}  // namespace talkface::cli
