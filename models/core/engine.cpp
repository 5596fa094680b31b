// SPDX-License-Identifier: MIT
// The engine's side of models/engine.h: reference counts and guards round a family.
#include <atomic>
#include <cstdlib>
#include <utility>

#include "models/core/family_library.h"
#include "models/core/open.h"
#include "models/core/registry.h"
#include "models/core/scheduler.h"

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

class FaceObject final : public Counted<Face> {
 public:
  explicit FaceObject(std::shared_ptr<const FaceModel> model) : model(std::move(model)) {}
  const FaceInfo& Info() const noexcept override { return model->info; }
  const std::shared_ptr<const FaceModel> model;
};

class ControlsObject final : public Counted<Controls> {
 public:
  explicit ControlsObject(std::shared_ptr<const FrameControls> controls)
      : controls(std::move(controls)) {}
  const float* Units() const noexcept override { return controls->units.data(); }
  bool Idle() const noexcept override { return controls->idle; }
  const std::shared_ptr<const FrameControls> controls;
};

class SceneObject final : public Counted<Scene> {
 public:
  explicit SceneObject(std::shared_ptr<const SceneModel> model) : model(std::move(model)) {}
  const std::shared_ptr<const SceneModel> model;
};

// Keeps the family alive, because the model's weights are the family's.
class SpeechObject final : public Counted<Speech> {
 public:
  explicit SpeechObject(std::shared_ptr<Family> family)
      : family_(std::move(family)), model_(family_->OpenSpeech()) {}
  Status Push(const float* samples, uint64_t count) noexcept override {
    return Guard("speech push", [&] { model_->Push(samples, count); });
  }
  bool Ready(uint64_t time_ns) const noexcept override { return model_->Ready(time_ns); }
  Status Take(uint64_t time_ns, Controls** out) noexcept override {
    return Guard("speech take", [&] { *out = new ControlsObject(model_->Take(time_ns)); });
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
  const std::shared_ptr<Family> family_;
  const std::unique_ptr<SpeechModel> model_;
};

// What an engine and its renderers share. The scheduler goes before the family that its workers
// call.
struct Core {
  explicit Core(std::unique_ptr<Family> opened)
      : family(std::move(opened)), scheduler(*family, family->Workers()) {}
  const std::shared_ptr<Family> family;
  Scheduler scheduler;
};

class RendererObject final : public Counted<Renderer> {
 public:
  explicit RendererObject(std::shared_ptr<Core> core)
      : core_(std::move(core)), client_(core_->scheduler) {}
  Status Submit(const Job& job, uint64_t* ticket) noexcept override {
    return Guard("submit", [&] {
      if (job.scene == nullptr || job.controls == nullptr) {
        throw Error(Code::kInvalid, "A job needs a scene and controls.");
      }
      Scheduler::Request request;
      request.item.scene = static_cast<SceneObject*>(job.scene)->model;
      request.item.controls = static_cast<ControlsObject*>(job.controls)->controls;
      request.item.time_ns = job.time_ns;
      request.item.expression_gain = job.expression_gain;
      request.item.target = job.target;
      request.deadline_ns = job.deadline_ns;
      request.batch_timeout_ns = job.batch_timeout_ns;
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
    return Guard("find face", [&] { core_->family->FindFace(picture, previous, out); });
  }
  Status Enrol(const Pixels& portrait, Face** out) noexcept override {
    return Guard("enrol", [&] { *out = new FaceObject(core_->family->Enrol(portrait)); });
  }
  Status OpenSpeech(Speech** out) noexcept override {
    return Guard("open speech", [&] { *out = new SpeechObject(core_->family); });
  }
  Status Prepare(Face* face, const SceneOptions& options, Scene** out) noexcept override {
    return Guard("prepare", [&] {
      const auto& model = static_cast<FaceObject*>(face)->model;
      *out = new SceneObject(core_->family->Prepare(model, options));
    });
  }
  Status CreateRenderer(Renderer** out) noexcept override {
    return Guard("create renderer", [&] { *out = new RendererObject(core_); });
  }
  uint64_t Now() const noexcept override { return MonotonicNow(); }
  Stats GetStats() const noexcept override { return core_->scheduler.GetStats(); }
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

std::string TextOr(const char* text, const char* otherwise) {
  return text != nullptr ? text : otherwise;
}

}  // namespace

void OpenEngine(const EngineOptions& options, Engine** out) {
  const std::string search_path = TextOr(options.search_path, "");
  const auto pack = Pack::Open(TextOr(options.model, ""), search_path);
  const FamilyEntry& family = FamilyOf(*pack);
  const std::string device = family.resolve_device(*pack, TextOr(options.device, "auto"));
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
