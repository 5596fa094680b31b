// SPDX-License-Identifier: MIT
// What a family of face models implements. The core (engine.cpp, scheduler.cpp) adds reference
// counts, guards, sharing, batching and threads, so a family is plain C++: it throws Error, and
// owns no thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "models/core/error.h"
#include "models/core/options.h"
#include "models/core/pack.h"
#include "models/engine.h"

namespace talkface {

// An enrolled portrait of a family: immutable.
class FaceModel {
 public:
  virtual ~FaceModel() = default;
  FaceInfo info{};
};

// Controls of one frame: immutable once made.
class FrameControls {
 public:
  virtual ~FrameControls() = default;
  std::vector<float> units;  // EngineInfo::unit_count, 0..5
  bool idle = false;
};

// A face prepared for one output: immutable.
class SceneModel {
 public:
  virtual ~SceneModel() = default;
};

// One stream's speech state; see talkface::Speech for the meaning of each call. One thread at a
// time.
class SpeechModel {
 public:
  virtual ~SpeechModel() = default;
  virtual void Push(const float* samples, uint64_t count) = 0;
  virtual bool Ready(uint64_t time_ns) const = 0;
  virtual std::shared_ptr<const FrameControls> Take(uint64_t time_ns) = 0;
  virtual void SetLookAhead(uint64_t ns) = 0;
  virtual uint64_t LookAhead() const = 0;
  virtual void Drain() = 0;
  virtual void Interrupt(uint64_t at_ns, uint64_t fade_ns) = 0;
  virtual void Reset() = 0;
};

// SceneOptions, checked and copied.
struct SceneSettings {
  TargetFormat target;
  bool add_borders = true, idle_motion = true, label = false;
  uint64_t seed = 0;
  double pixel_aspect = 1.0;
  Options family_options;  // their keys are among EngineInfo::options
};

// A frame to draw on, and the face in it. The pixels are the caller's.
struct BasePicture {
  Pixels pixels;
  FaceInfo face;
};

struct RenderItem {
  std::shared_ptr<const SceneModel> scene;
  std::shared_ptr<const FrameControls> controls;
  uint64_t time_ns = 0;
  double expression_gain = 1.0;
  FrameTarget target;      // its memory is of a kind that EngineInfo::memory_kinds has
  uint64_t stream_id = 0;  // Job::stream_id
  std::shared_ptr<const BasePicture> base;  // null: the still portrait; never without base_frames
  // Set when nobody wants the frame any more; null: never. For families that draw for long.
  const std::atomic<bool>* cancelled = nullptr;
  bool IsCancelled() const { return cancelled != nullptr && cancelled->load(); }
};

struct FamilyContext {
  const Pack& pack;
  std::string device;  // resolved: "cpu" or "cuda:N"
  Precision precision;
  std::string search_path;  // where packs that this one needs are looked up
  std::function<void(int percent, const char* what)> progress;  // waits for nobody
  uint64_t device_memory_limit = 0;  // EngineOptions::device_memory_limit
};

// One loaded pack on one device: weights, shared by all streams. Every call from any thread.
class Family {
 public:
  virtual ~Family() = default;
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  virtual void FindFace(const Pixels& picture, const FaceInfo* previous, FaceInfo* out) = 0;
  virtual std::shared_ptr<const FaceModel> Enrol(const Pixels& portrait) = 0;
  virtual std::unique_ptr<SpeechModel> OpenSpeech() = 0;
  virtual std::shared_ptr<const SceneModel> Prepare(std::shared_ptr<const FaceModel> face,
                                                    const SceneSettings& settings) = 0;
  // Draws every item's frame whole into its target. Called on a worker; items are at most
  // MaxBatch() many.
  virtual void Render(const std::vector<RenderItem>& items) = 0;
  virtual uint32_t MaxBatch() const { return 1; }
  // Threads that call Render at a time.
  virtual uint32_t Workers() const { return std::max(1u, std::thread::hardware_concurrency()); }
  virtual uint64_t MemoryUse() const = 0;

  // What pack and device say is there already; the family's constructor adds the rest. Strings live
  // as long as the family.
  EngineInfo info{};

 protected:
  Family() = default;  // without a pack: `info` is empty
  explicit Family(const FamilyContext& context);

 private:
  std::string name_, family_, version_, licence_, device_;  // info's words
};

struct FamilyEntry {
  const char* name;
  // What `device` (EngineOptions::device) is here: "cpu" or "cuda:N". Throws Error{kUnsupported}
  // where the family cannot run on it. Streams that get the same device share an engine.
  std::string (*resolve_device)(const Pack& pack, const std::string& device);
  // On a thread that loads engines, one at a time in a process.
  std::unique_ptr<Family> (*open)(const FamilyContext& context);
};

// A family that lives in a library of its own (family_library.h).
struct FamilyLibrary {
  const char* family;
  const char* file;       // beside the engine
  const char* variable;   // of the environment: the file's path, for tests
  const char* stands_on;  // the soname of what it links and the engine does not
  const char* package;    // that brings it
  const char* setup;      // the command that makes a build have it
};

// The families that the engine has (families/family_list.cpp), by the name in a manifest, and those
// in libraries of their own.
const std::vector<FamilyEntry>& Families();
const std::vector<FamilyLibrary>& FamilyLibraries();

}  // namespace talkface
