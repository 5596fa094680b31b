// SPDX-License-Identifier: MIT
// The one door between talkface's elements and its engine. Plain data and pure-virtual interfaces
// only: no std:: types and no exceptions cross it, so the engine can be loaded with RTLD_LOCAL by a
// plugin built elsewhere.
//
// Rules for every call: noexcept; pointers passed in are read during the call only; objects handed
// out start with one reference, owned by the caller; results in `out` are untouched unless the
// Status is kOk. Unless said otherwise a call may be made from any thread, and objects of different
// streams never wait for each other's locks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace talkface {

constexpr uint32_t kEngineAbi = 3;

enum class Code : int32_t {
  kOk,
  kInvalid,      // a setting or argument out of range: the message says the range
  kNotFound,     // a pack or file that is not there
  kBadPack,      // a pack that is damaged: the message names file, field, wanted and got
  kNoFace,       // the picture shows no usable face
  kUnsupported,  // the device, precision or format cannot be had here
  kNoMemory,
  kFailed,     // inference failed
  kCancelled,  // by Cancel
  kLate,       // the job's deadline had passed before it was begun
  kTimeout,    // Wait gave up; the job goes on
};

struct Status {
  Code code = Code::kOk;
  char message[400] = "";  // one plain sentence for the user
  char detail[400] = "";   // for the developer
  bool ok() const { return code == Code::kOk; }
};

enum class Precision : int32_t { kAuto, kFloat32, kBfloat16, kFloat16 };
enum class PixelFormat : int32_t { kI420, kYV12, kNV12, kRGBA, kBGRA, kRGBx, kBGRx, kRGB, kBGR };
enum class ColorMatrix : int32_t { kBt601, kBt709, kBt2020, kSmpte240m, kFcc };
enum class ChromaSite : int32_t { kCentered, kLeftCosited, kTopLeftCosited };

struct EngineOptions {
  const char* model = nullptr;  // pack name or folder
  const char* search_path =
      nullptr;  // extra pack folders, ':' between them, before the built-in ones; may be null
  const char* device = "auto";  // auto, cpu, cuda, cuda:N
  Precision precision = Precision::kAuto;
  // Of an accelerator's memory, the bytes that this process may use for its networks; 0: no limit.
  // What would need more fails with kNoMemory. Of several engines' limits the smallest counts.
  uint64_t device_memory_limit = 0;
  void (*progress)(void* user, int percent,
                   const char* what) = nullptr;  // called on the opening thread
  void* user = nullptr;
};

struct ActionUnit {
  int32_t number;    // FACS
  const char* name;  // "lips part"
};

struct EngineInfo {
  const char *name, *family, *version, *licence, *device;
  uint32_t sample_rate_hz;  // of the mono samples that Speech takes
  uint64_t look_ahead_min_ns, look_ahead_default_ns, look_ahead_max_ns;
  const ActionUnit* units;
  uint32_t unit_count;            // 0: the family has no action units, its controls are opaque
  uint32_t default_steps;         // 0: no sampler
  bool scales_expression = true;  // does Job::expression_gain change what is drawn?
  const char* warning = "";       // "" or one sentence for the user: what is wrong with the pack
};

struct Pixels {  // 8-bit RGBA, straight alpha, sRGB
  const uint8_t* data;
  uint32_t width, height;
  size_t stride;
};

constexpr uint32_t kLandmarks = 468;  // MediaPipe's face mesh topology

struct FaceInfo {
  float box[4];  // x, y, width, height of the landmarks' hull, pixels of the picture
  float landmarks[kLandmarks][3];  // x, y in pixels, z in the same scale (smaller is nearer)
  float yaw_deg, pitch_deg, roll_deg, score;  // score 0..1
  uint32_t faces;                             // faces seen in the picture
  char warning[200];                          // "" or one sentence: several faces, low score
};

class Object {
 public:
  virtual void Ref() noexcept = 0;
  virtual void Unref() noexcept = 0;

 protected:
  ~Object() = default;
};

// An enrolled portrait: immutable, shared between streams.
class Face : public Object {
 public:
  virtual const FaceInfo& Info() const noexcept = 0;
};

// What one frame's face does: immutable.
class Controls : public Object {
 public:
  virtual const float* Units() const noexcept = 0;  // EngineInfo::unit_count intensities, 0..5
  virtual bool Idle() const noexcept = 0;  // no speech behind it: starved, drained or interrupted
};

// One stream's speech. Calls on one object are the caller's to serialise. Time is counted from the
// first sample.
class Speech : public Object {
 public:
  // Appends mono float samples, -1..1 (NaN and infinities count as 0); null samples are silence.
  // Any count.
  virtual Status Push(const float* samples, uint64_t count) noexcept = 0;
  // Is all audio here that a frame at `time_ns` uses (time + look-ahead), or was Drain called?
  virtual bool Ready(uint64_t time_ns) const noexcept = 0;
  // Controls of the frame at `time_ns`; times must not go back. Without Ready: idle controls,
  // fading to rest.
  virtual Status Take(uint64_t time_ns, Controls** out) noexcept = 0;
  virtual Status SetLookAhead(
      uint64_t ns) noexcept = 0;  // clamped to the pack's range, from the next Take on
  virtual uint64_t LookAhead() const noexcept = 0;
  virtual Status
  Drain() noexcept = 0;  // end of speech: what is missing is silence; the next Push starts anew
  // Forgets speech from `at_ns` on; controls fade to rest over `fade_ns`. The next Push continues
  // at `at_ns`.
  virtual Status Interrupt(uint64_t at_ns, uint64_t fade_ns) noexcept = 0;
  virtual Status Reset() noexcept = 0;  // as newly opened: time is 0
};

struct TargetFormat {
  uint32_t width, height;
  PixelFormat format;
  ColorMatrix matrix;
  ChromaSite chroma_site;
  bool full_range;
};

struct SceneOptions {
  TargetFormat target;
  bool add_borders = true;     // keep the portrait's shape; otherwise it is stretched
  bool idle_motion = true;     // blinks, breathing, slight head movement
  bool label = false;          // draw the synthetic-media mark
  uint64_t seed = 0;           // of noise and idle motion
  uint32_t sampler_steps = 0;  // 0: the pack's default
  double pixel_aspect = 1.0;   // of the target: width / height of one pixel
};

// A face prepared for one output format (all that can be computed before the first frame):
// immutable, shared.
class Scene : public Object {};

struct FrameTarget {  // host memory, the planes of TargetFormat in its own order; must stay valid
                      // until Wait or Cancel
  uint8_t* planes[4];
  size_t strides[4];
};

struct Job {
  Scene* scene;
  Controls* controls;
  uint64_t time_ns;        // media time: drives idle motion
  double expression_gain;  // scales the controls, 0..4
  FrameTarget target;
  uint64_t deadline_ns;       // on Engine::Now's clock; 0: none
  uint64_t batch_timeout_ns;  // longest wait for other streams' frames
};

// One stream's queue of frames; jobs of all streams of an engine share its workers and may form
// batches.
class Renderer : public Object {
 public:
  virtual Status Submit(const Job& job,
                        uint64_t* ticket) noexcept = 0;  // keeps scene and controls referenced
  virtual Status Wait(
      uint64_t ticket,
      uint64_t timeout_ns) noexcept = 0;  // kOk, kLate, kCancelled, kTimeout, kFailed
  // Cancels all jobs submitted so far; returns when none of their targets will be touched again.
  virtual void Cancel() noexcept = 0;
};

struct Stats {
  uint64_t frames, failed, late, cancelled;
  uint64_t render_ns_sum, render_ns_max;
  uint64_t batches, batch_max;
};

class Engine : public Object {
 public:
  virtual const EngineInfo& Info() const noexcept = 0;
  // Finds the largest face. `previous` (may be null) is the same face in the frame before: it is
  // followed, not searched.
  virtual Status FindFace(const Pixels& picture, const FaceInfo* previous,
                          FaceInfo* out) noexcept = 0;
  virtual Status Enrol(const Pixels& portrait, Face** out) noexcept = 0;
  virtual Status OpenSpeech(Speech** out) noexcept = 0;
  virtual Status Prepare(Face* face, const SceneOptions& options, Scene** out) noexcept = 0;
  virtual Status CreateRenderer(Renderer** out) noexcept = 0;
  virtual uint64_t Now() const noexcept = 0;  // nanoseconds, monotonic
  virtual Stats GetStats() const noexcept = 0;
  virtual uint64_t MemoryUse() const noexcept = 0;  // bytes of weights held by this engine
};

}  // namespace talkface

extern "C" {
// Opens a pack, or shares the engine that already runs it on that device, with that precision and
// memory limit, in this process. Fails with kUnsupported if `abi` is not this library's kEngineAbi.
talkface::Status talkface_engine_open(uint32_t abi, const talkface::EngineOptions* options,
                                      talkface::Engine** out) noexcept;
// Calls `visit` for every pack found on the search path: `json` is
// {"name","version","family","licence","folder", "error"} (error: "" or why it cannot be used).
void talkface_engine_list_packs(const char* search_path,
                                void (*visit)(void* user, const char* json), void* user) noexcept;
}
