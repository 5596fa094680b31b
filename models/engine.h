// SPDX-License-Identifier: MIT
// The one door between talkface's engine and whoever uses it: talkface's own elements, and programs
// that embed it (docs/embedding.md). Plain data and pure-virtual interfaces only: no std:: types
// and no exceptions cross it, so that a caller may load the engine with RTLD_LOCAL and be built
// elsewhere, with another compiler or standard library. Installed as <talkface/engine.h>.
//
// HOW IT GROWS. A caller tells talkface_engine_open the version that it was compiled with, and an
// engine serves every caller from kEngineAbiOldest to kEngineAbi:
//  * Methods are only ever added, at the end of their class, and none changes or goes. Object, from
//    which all classes derive, never gets another one.
//  * Every struct begins with `size`, which is sizeof the struct as its writer knows it; the
//    initialisers below fill it in. The reader takes what lies within that size, and what it
//    knows itself; the rest has the defaults below, which always mean what an older version did.
//    Fields are only ever added behind all others, never into padding, and none changes or goes.
//    What is called reserved is 0.
//  * So no struct lies by value in another, in an array, or is returned by value. Status,
//    ActionUnit, Option and OptionInfo are, have no size, and are frozen for ever.
//  * Values of enums are only ever added: a Code that a caller does not know is a failure. Each
//    addition of any kind raises kEngineAbi by one.
//
// RULES FOR EVERY CALL. None throws. Pointers handed in, to structs and to what they point to, are
// read during the call only, unless said otherwise; those that the engine hands out in a struct
// live as long as the object that it came from. Objects handed out start with one reference, which
// is the caller's. Results in `out` are untouched unless the Status is kOk. A pointer that is null
// where none may be, a size that cannot be one, a number out of its range, or an object that is not
// this engine's own is answered with kInvalid and the argument's name.
//
// THREADS AND LOCKS. Every call may come from any thread, and several at once, except that the
// calls on one Speech are the caller's to serialise, and that none may be made on an object whose
// last reference another thread gives up. No lock is held while `progress` or `visit` is called. A
// call that says that it locks the queue holds the lock that an engine's streams and workers share
// for moments; nobody holds it while anything is computed or drawn. What is said to compute does so
// on the calling thread; there a family may let calls wait for its device, or for all its cores.
#pragma once

#include <cstddef>
#include <cstdint>

namespace talkface {

constexpr uint32_t kEngineAbi = 4;
constexpr uint32_t kEngineAbiOldest = 4;

enum class Code : int32_t {
  kOk,
  kInvalid,      // a setting or argument out of range: the message names it, and the range
  kNotFound,     // a pack or file that is not there
  kBadPack,      // a pack that is damaged: the message names file, field, wanted and got
  kNoFace,       // the picture shows no usable face
  kUnsupported,  // the device, precision, memory or format cannot be had here
  kNoMemory,
  kFailed,     // inference failed
  kCancelled,  // by Cancel
  kLate,       // the job's deadline had passed before it was begun
  kTimeout,    // Wait gave up; the job goes on
};

struct Status {  // frozen
  Code code = Code::kOk;
  char message[400] = "";  // one plain sentence for the user
  char detail[400] = "";   // for the developer
  bool ok() const { return code == Code::kOk; }
};

enum class Precision : int32_t { kAuto, kFloat32, kBfloat16, kFloat16 };
enum class PixelFormat : int32_t { kI420, kYV12, kNV12, kRGBA, kBGRA, kRGBx, kBGRx, kRGB, kBGR };
enum class ColorMatrix : int32_t { kBt601, kBt709, kBt2020, kSmpte240m, kFcc };
enum class ChromaSite : int32_t { kCentered, kLeftCosited, kTopLeftCosited };

// Where a frame's planes lie. No family draws into CUDA memory yet, not even those that compute on
// a CUDA device: EngineInfo::memory_kinds tells what an engine takes.
enum class MemoryKind : int32_t { kHost, kCuda };
constexpr uint32_t MemoryBit(MemoryKind kind) { return 1u << static_cast<uint32_t>(kind); }

struct EngineOptions {
  uint32_t size = sizeof(EngineOptions);
  Precision precision = Precision::kAuto;
  const char* model = nullptr;  // a pack's name or folder
  // Further folders of packs, ':' between them, looked at before the built-in ones; may be null.
  const char* search_path = nullptr;
  const char* device = "auto";  // auto, cpu, cuda, cuda:N; null: auto
  // Of an accelerator's memory, the bytes that this process may use for its networks; 0: no limit.
  // What would need more fails with kNoMemory. Of several engines' limits the smallest counts.
  uint64_t device_memory_limit = 0;
  // Told of the progress on the thread that opens the engine; it may call the engine. May be null.
  void (*progress)(void* user, int percent, const char* what) = nullptr;
  void* user = nullptr;
};

struct ActionUnit {  // frozen
  int32_t number;    // FACS
  const char* name;  // "lips part"
};

struct Option {  // frozen: a setting of one family, both words the family's own
  const char* key;
  const char* value;
};

struct OptionInfo {  // frozen: an option that a family takes
  const char* key;
  const char* default_value;
  const char* help;  // one sentence: what it does and what it may be
};

struct EngineInfo {  // made by the engine, for as long as it lives
  uint32_t size = sizeof(EngineInfo);
  uint32_t sample_rate_hz = 0;  // of the mono samples that Speech takes
  const char *name = "", *family = "", *version = "", *licence = "", *device = "";
  const char* warning = "";  // "" or one sentence for the user: what is wrong with the pack
  uint64_t look_ahead_min_ns = 0, look_ahead_default_ns = 0, look_ahead_max_ns = 0;
  const ActionUnit* units = nullptr;
  const OptionInfo* options = nullptr;  // what SceneOptions::options may hold
  uint32_t unit_count = 0;    // 0: the family has no action units, its controls are opaque
  uint32_t option_count = 0;  // 0: it has no options
  uint32_t memory_kinds = MemoryBit(MemoryKind::kHost);  // MemoryBits that a FrameTarget may have
  uint32_t scales_expression = 1;  // 1: Job::expression_gain changes what is drawn
  uint32_t base_frames = 0;        // 1: it draws on Job::base
  uint32_t reserved = 0;
};

struct Pixels {  // 8-bit RGBA, straight alpha, sRGB
  uint32_t size = sizeof(Pixels);
  uint32_t width = 0, height = 0;
  uint32_t reserved = 0;
  const uint8_t* data = nullptr;
  size_t stride = 0;  // bytes from a row to the next: 4 * width or more

  constexpr Pixels() = default;
  constexpr Pixels(const uint8_t* data, uint32_t width, uint32_t height, size_t stride)
      : width(width), height(height), data(data), stride(stride) {}
};

constexpr uint32_t kMostLandmarks = 512;

struct FaceInfo {
  uint32_t size = sizeof(FaceInfo);
  uint32_t faces = 0;  // faces seen in the picture
  float box[4] = {};   // x, y, width, height of the landmarks' hull, pixels
  float yaw_deg = 0, pitch_deg = 0, roll_deg = 0, score = 0;  // score 0..1
  char warning[200] = "";       // "" or one sentence: several faces, low score
  uint32_t landmark_count = 0;  // how many there are; 468: those of MediaPipe's face mesh
  // x, y in pixels, z in the same scale, smaller is nearer.
  float landmarks[kMostLandmarks][3] = {};
};

class Object {  // frozen
 public:
  virtual void Ref() noexcept = 0;  // locks nothing
  // The last one frees the object, on this thread. A renderer cancels its jobs first; the last of
  // an engine and its renderers waits for the workers to end.
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

// One stream's speech: one call at a time. Time is counted from the first sample. None locks
// anything of other streams.
class Speech : public Object {
 public:
  // Appends any count of mono float samples, -1..1 (NaN and infinities count as 0); null samples
  // are silence. Keeps no pointer. May compute.
  virtual Status Push(const float* samples, uint64_t count) noexcept = 0;
  // Is all audio here that a frame at `time_ns` uses (time + look-ahead), or was Drain called?
  virtual bool Ready(uint64_t time_ns) const noexcept = 0;
  // Controls of the frame at `time_ns`; times must not go back. Without Ready: idle controls,
  // fading to rest. Computes.
  virtual Status Take(uint64_t time_ns, Controls** out) noexcept = 0;
  // Clamped to the pack's range, from the next Take on.
  virtual Status SetLookAhead(uint64_t ns) noexcept = 0;
  virtual uint64_t LookAhead() const noexcept = 0;
  // End of speech: what is missing is silence; the next Push starts anew.
  virtual Status Drain() noexcept = 0;
  // Forgets speech from `at_ns` on; controls fade to rest over `fade_ns`. The next Push continues
  // at `at_ns`.
  virtual Status Interrupt(uint64_t at_ns, uint64_t fade_ns) noexcept = 0;
  virtual Status Reset() noexcept = 0;  // as newly opened: time is 0
};

struct TargetFormat {
  uint32_t size = sizeof(TargetFormat);
  uint32_t width = 0, height = 0;  // pixels, 1 to 8192
  PixelFormat format = PixelFormat::kI420;
  ColorMatrix matrix = ColorMatrix::kBt601;
  ChromaSite chroma_site = ChromaSite::kCentered;
  uint32_t full_range = 0;  // 1: luma and chroma of 0..255, as RGB has
  uint32_t reserved = 0;

  constexpr TargetFormat() = default;
  constexpr TargetFormat(uint32_t width, uint32_t height, PixelFormat format, ColorMatrix matrix,
                         ChromaSite chroma_site, bool full_range)
      : width(width),
        height(height),
        format(format),
        matrix(matrix),
        chroma_site(chroma_site),
        full_range(full_range ? 1 : 0) {}
};

struct SceneOptions {
  uint32_t size = sizeof(SceneOptions);
  uint32_t add_borders = 1;  // 1: keep the portrait's shape; 0: it is stretched
  const TargetFormat* target = nullptr;
  uint64_t seed = 0;          // of noise and idle motion
  double pixel_aspect = 1.0;  // of the target: width / height of one pixel
  uint32_t idle_motion = 1;   // 1: blinks, breathing, slight head movement
  uint32_t label = 0;         // 1: draw the synthetic-media mark
  // The family's own settings, each key one of EngineInfo::options; what is not given has its
  // default. A key that there is not, and a value that it cannot have, are kInvalid.
  const Option* options = nullptr;
  uint64_t option_count = 0;
};

// A face prepared for one output format (all that can be computed before the first frame):
// immutable, shared.
class Scene : public Object {};

// A frame's memory. The planes are those of the TargetFormat, in its own order; they must stay
// valid, and nobody may read or write them, until Wait or Cancel has returned (kTimeout: it goes
// on).
struct FrameTarget {
  uint32_t size = sizeof(FrameTarget);
  MemoryKind memory = MemoryKind::kHost;
  uint8_t* planes[4] = {};  // in memory of that kind
  size_t strides[4] = {};   // bytes from a row to the next: a host's rows, a device's pitches
  int32_t device = 0;       // whose memory it is, where it is a device's: N of cuda:N
  uint32_t reserved = 0;
  // An event of that device (a cudaEvent_t), which the engine records behind its last write, and
  // Wait returns once it is recorded; it must stay valid as the planes. Null, as it must be for a
  // host's memory: Wait returns when the frame is complete.
  void* fence = nullptr;
};

// A frame of a moving video, for the face to be drawn on, and where the face is in it (from
// Engine::FindFace). The pixels are not copied: they must stay valid and as they are until Wait or
// Cancel has returned; the structs are read by Submit only.
struct BaseFrame {
  uint32_t size = sizeof(BaseFrame);
  uint32_t reserved = 0;
  const Pixels* pixels = nullptr;
  const FaceInfo* face = nullptr;
};

struct Job {
  uint32_t size = sizeof(Job);
  uint32_t reserved = 0;
  Scene* scene = nullptr;
  Controls* controls = nullptr;
  const FrameTarget* target = nullptr;
  uint64_t time_ns = 0;          // media time: drives idle motion
  double expression_gain = 1.0;  // scales the controls, 0..4
  uint64_t deadline_ns = 0;  // on Engine::Now's clock; 0: none, and the frame may wait for others
  uint64_t batch_timeout_ns = 0;  // longest wait for other streams' frames
  // Tells apart the streams that share one Renderer: each is served in its turn, and as regularly
  // as its own deadlines are.
  uint64_t stream_id = 0;
  const BaseFrame* base = nullptr;  // null: the still portrait
};

// One stream's queue of frames, or that of a few streams (Job::stream_id). Jobs of all streams of
// an engine share its workers and may form batches.
class Renderer : public Object {
 public:
  // Keeps scene and controls referenced. Locks the queue.
  virtual Status Submit(const Job& job, uint64_t* ticket) noexcept = 0;
  // Once for each ticket: kOk, kLate, kCancelled, or kFailed and the like where drawing failed;
  // kTimeout after `timeout_ns`, and it may be called again. Locks the queue, not while it waits.
  virtual Status Wait(uint64_t ticket, uint64_t timeout_ns) noexcept = 0;
  // Cancels all jobs submitted so far, of all its streams; returns when none of their targets and
  // base frames will be touched again. Locks the queue, not while it waits.
  virtual void Cancel() noexcept = 0;
};

struct Stats {  // since the engine was opened
  uint32_t size = sizeof(Stats);
  uint32_t reserved = 0;
  uint64_t frames = 0, failed = 0, late = 0, cancelled = 0;
  uint64_t render_ns_sum = 0, render_ns_max = 0;
  uint64_t batches = 0, batch_max = 0;
};

class Engine : public Object {
 public:
  virtual const EngineInfo& Info() const noexcept = 0;  // locks nothing
  // Finds the largest face. `previous` (may be null) is the same face in the frame before: it is
  // followed, not searched. Computes; calls run side by side, but the first of all loads the nets,
  // and others wait for that.
  virtual Status FindFace(const Pixels& picture, const FaceInfo* previous,
                          FaceInfo* out) noexcept = 0;
  // Computes; the nets as in FindFace. Copies the pixels.
  virtual Status Enrol(const Pixels& portrait, Face** out) noexcept = 0;
  virtual Status OpenSpeech(Speech** out) noexcept = 0;  // locks nothing of other streams
  // Computes. The scene keeps what it needs of the face.
  virtual Status Prepare(Face* face, const SceneOptions& options, Scene** out) noexcept = 0;
  virtual Status CreateRenderer(Renderer** out) noexcept = 0;  // locks nothing
  virtual uint64_t Now() const noexcept = 0;               // nanoseconds, monotonic; locks nothing
  virtual Status GetStats(Stats* out) const noexcept = 0;  // locks the queue
  // Bytes of weights held by this engine. Waits while the face nets are loaded.
  virtual uint64_t MemoryUse() const noexcept = 0;
};

}  // namespace talkface

extern "C" {
// Opens a pack, or shares the engine that already runs it on that device, with that precision and
// memory limit, in this process. `abi` is the caller's kEngineAbi; outside the range that this
// library serves it fails with kUnsupported. From any thread, from `progress` too: packs are loaded
// one at a time, on a thread of the engine's, and this call waits for its own.
talkface::Status talkface_engine_open(uint32_t abi, const talkface::EngineOptions* options,
                                      talkface::Engine** out) noexcept;
// Calls `visit` for every pack found on the search path (may be null): `json` is
// {"name","version","family","licence","folder", "error"} (error: "" or why it cannot be used), and
// lives during the call. Reads files; locks nothing.
void talkface_engine_list_packs(const char* search_path,
                                void (*visit)(void* user, const char* json), void* user) noexcept;
}
