// SPDX-License-Identifier: MIT
// The engine's side of models/engine.h: reference counts and guards round a family.
#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>

#include "models/core/arguments.h"
#include "models/core/family_library.h"
#include "models/core/open.h"
#include "models/core/registry.h"
#include "models/core/scheduler.h"
#include "models/core/sized.h"

namespace talkface {
namespace {

// Reference counting for an interface of models/engine.h.
template <typename Interface>
class Counted : public Interface {
 public:
  void Ref() noexcept override { ++references_; }
  void Unref() noexcept override {
    if (--references_ == 0) delete this;
  }

 protected:
  virtual ~Counted() = default;

 private:
  std::atomic<int> references_{1};
};

// Which engine an object came from. Never the same twice in a process, as an address may be.
using Owner = uint64_t;

class FaceObject final : public Counted<Face> {
 public:
  FaceObject(Owner owner, std::shared_ptr<const FaceModel> model)
      : owner(owner), model(std::move(model)) {}
  const FaceInfo& Info() const noexcept override { return model->info; }
  const Owner owner;
  const std::shared_ptr<const FaceModel> model;
};

class ControlsObject final : public Counted<Controls> {
 public:
  ControlsObject(Owner owner, std::shared_ptr<const FrameControls> controls)
      : owner(owner), model(std::move(controls)) {}
  const float* Units() const noexcept override { return model->units.data(); }
  bool Idle() const noexcept override { return model->idle; }
  const Owner owner;
  const std::shared_ptr<const FrameControls> model;
};

class SceneObject final : public Counted<Scene> {
 public:
  SceneObject(Owner owner, const TargetFormat& format, std::shared_ptr<const SceneModel> model)
      : owner(owner), format(format), model(std::move(model)) {}
  const Owner owner;
  const TargetFormat format;
  const std::shared_ptr<const SceneModel> model;
};

// The object behind a handle, which may be anybody's. Throws Error{kInvalid} by the argument's name
// for one that this engine has not made: another's models are of other types.
template <typename Made, typename Interface>
const Made& Own(Interface* handle, Owner owner, const char* argument) {
  const auto* made = dynamic_cast<const Made*>(NotNull(handle, argument));
  if (made == nullptr || made->owner != owner) {
    throw Error(Code::kInvalid,
                "The argument " + std::string(argument) + " was not made by this engine.");
  }
  return *made;
}

// What an engine, its streams and its renderers share. The scheduler goes before the family that
// its workers call.
struct Core {
  explicit Core(std::unique_ptr<Family> opened)
      : family(std::move(opened)), scheduler(*family, family->Workers()) {}
  static Owner NextId() {
    static std::atomic<Owner> last{0};
    return ++last;
  }
  const Owner id = NextId();
  const std::shared_ptr<Family> family;
  Scheduler scheduler;
};

// Keeps the family alive, because the model's weights are the family's.
class SpeechObject final : public Counted<Speech> {
 public:
  SpeechObject(Owner owner, std::shared_ptr<Family> family)
      : owner_(owner), family_(std::move(family)), model_(family_->OpenSpeech()) {}
  Status Push(const float* samples, uint64_t count) noexcept override {
    return Guard("speech push", [&] { model_->Push(samples, count); });
  }
  bool Ready(uint64_t time_ns) const noexcept override { return model_->Ready(time_ns); }
  Status Take(uint64_t time_ns, Controls** out) noexcept override {
    return Guard("speech take", [&] {
      NotNull(out, "out");
      *out = new ControlsObject(owner_, model_->Take(time_ns));
    });
  }
  Status SetLookAhead(uint64_t ns) noexcept override {
    return Guard("look-ahead", [&] { model_->SetLookAhead(ns); });
  }
  uint64_t LookAhead() const noexcept override { return model_->LookAhead(); }
  Status Drain() noexcept override {
    return Guard("speech drain", [&] { model_->Drain(); });
  }
  Status Interrupt(uint64_t at_ns, uint64_t fade_ns) noexcept override {
    return Guard("speech interrupt", [&] { model_->Interrupt(at_ns, fade_ns); });
  }
  Status Reset() noexcept override {
    return Guard("speech reset", [&] { model_->Reset(); });
  }

 private:
  const Owner owner_;
  const std::shared_ptr<Family> family_;
  const std::unique_ptr<SpeechModel> model_;
};

class RendererObject final : public Counted<Renderer> {
 public:
  explicit RendererObject(std::shared_ptr<Core> core)
      : core_(std::move(core)), client_(core_->scheduler) {}
  Status Submit(const Job& job, uint64_t* ticket) noexcept override {
    return Guard("submit", [&] {
      NotNull(ticket, "ticket");
      const Job read = ReadSized(&job, "job");
      const auto& scene = Own<SceneObject>(read.scene, core_->id, "job.scene");
      const auto& controls = Own<ControlsObject>(read.controls, core_->id, "job.controls");
      Scheduler::Request request;
      request.item = ReadItem(read, scene.format, core_->family->info);
      request.item.scene = scene.model;
      request.item.controls = controls.model;
      request.deadline_ns = read.deadline_ns;
      request.batch_timeout_ns = read.batch_timeout_ns;
      *ticket = client_.Submit(std::move(request));
    });
  }
  Status Wait(uint64_t ticket, uint64_t timeout_ns) noexcept override {
    return client_.Wait(ticket, timeout_ns);
  }
  void Cancel() noexcept override { client_.Cancel(); }

 private:
  const std::shared_ptr<Core> core_;
  Scheduler::Client client_;
};

class EngineObject final : public Engine {
 public:
  EngineObject(EngineKey key, std::unique_ptr<Family> family)
      : key_(std::move(key)), core_(std::make_shared<Core>(std::move(family))) {}

  void Ref() noexcept override { ++references_; }
  void Unref() noexcept override {
    if (Registry::OfProcess().Release(key_, &references_)) delete this;
  }
  const EngineInfo& Info() const noexcept override { return core_->family->info; }
  Status FindFace(const Pixels& picture, const FaceInfo* previous,
                  FaceInfo* out) noexcept override {
    return Guard("find face", [&] {
      SharedSize(out, "out");
      const Pixels pixels = ReadPicture(&picture, "picture");
      FaceInfo before, found;
      if (previous != nullptr) before = ReadFaceInfo(previous, "previous");
      core_->family->FindFace(pixels, previous != nullptr ? &before : nullptr, &found);
      WriteSized(found, out, "out");
    });
  }
  Status Enrol(const Pixels& portrait, Face** out) noexcept override {
    return Guard("enrol", [&] {
      NotNull(out, "out");
      const Pixels pixels = ReadPicture(&portrait, "portrait");
      *out = new FaceObject(core_->id, core_->family->Enrol(pixels));
    });
  }
  Status OpenSpeech(Speech** out) noexcept override {
    return Guard("open speech",
                 [&] { *NotNull(out, "out") = new SpeechObject(core_->id, core_->family); });
  }
  Status Prepare(Face* face, const SceneOptions& options, Scene** out) noexcept override {
    return Guard("prepare", [&] {
      NotNull(out, "out");
      const auto& enrolled = Own<FaceObject>(face, core_->id, "face");
      const SceneSettings settings = ReadScene(&options, core_->family->info);
      auto model = core_->family->Prepare(enrolled.model, settings);
      *out = new SceneObject(core_->id, settings.target, std::move(model));
    });
  }
  Status CreateRenderer(Renderer** out) noexcept override {
    return Guard("create renderer", [&] { *NotNull(out, "out") = new RendererObject(core_); });
  }
  uint64_t Now() const noexcept override { return MonotonicNow(); }
  Status GetStats(Stats* out) const noexcept override {
    return Guard("stats", [&] { WriteSized(core_->scheduler.GetStats(), out, "out"); });
  }
  uint64_t MemoryUse() const noexcept override { return core_->family->MemoryUse(); }

 private:
  ~EngineObject() = default;
  const EngineKey key_;
  const std::shared_ptr<Core> core_;
  std::atomic<int> references_{1};
};

std::string RealPath(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), std::free);
  return real != nullptr ? real.get() : path;
}

}  // namespace

void OpenEngine(const EngineOptions* given, Engine** out) {
  NotNull(out, "out");
  const EngineOptions options = ReadEngineOptions(given);
  const std::string search_path = options.search_path;
  const auto pack = Pack::Open(options.model, search_path);
  const FamilyEntry& family = FamilyOf(*pack);
  const std::string device = family.resolve_device(*pack, options.device);
  const EngineKey key(RealPath(pack->folder()), device, options.precision,
                      options.device_memory_limit);
  const Registry::Load load = [&](const Registry::Progress& report) -> Engine* {
    return new EngineObject(key, family.open({*pack, device, options.precision, search_path, report,
                                              options.device_memory_limit}));
  };
  const Registry::Progress tell = [&options](int percent, const char* what) {
    if (options.progress != nullptr) options.progress(options.user, percent, what);
  };
  *out = Registry::OfProcess().Open(key, load, tell);
}

}  // namespace talkface
