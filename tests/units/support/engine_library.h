// SPDX-License-Identifier: MIT
// The engine as its users have it: the library's C entry, and references that let go of themselves.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#include "models/engine.h"

namespace talkface::test {

// The library is opened as the plugin opens it and never closed.
template <typename Function>
Function* Entry(const char* name) {
  static void* library =
      dlopen(std::getenv("TALKFACE_ENGINE"), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) throw std::runtime_error(dlerror());
  return reinterpret_cast<Function*>(dlsym(library, name));
}

inline Status Open(const EngineOptions* options, Engine** engine, uint32_t abi = kEngineAbi) {
  return Entry<decltype(talkface_engine_open)>("talkface_engine_open")(abi, options, engine);
}
inline Status Open(const EngineOptions& options, Engine** engine, uint32_t abi = kEngineAbi) {
  return Open(&options, engine, abi);
}

template <typename T>
struct Release {
  void operator()(T* object) const { object->Unref(); }
};
template <typename T>
using Held = std::unique_ptr<T, Release<T>>;

// What a call hands out by its last argument, which `call` passes on; the test fails where it does.
template <typename T, typename Call>
Held<T> Made(Call&& call) {
  T* made = nullptr;
  const Status status = call(&made);
  EXPECT_TRUE(status.ok()) << status.message;
  return Held<T>(made);
}

inline Held<Engine> OpenPack(const char* model) {
  EngineOptions options;
  options.model = model;
  return Made<Engine>([&](Engine** out) { return Open(options, out); });
}

// All that a frame needs, from a grey portrait of 8 x 8 pixels and a tenth of a second's silence,
// drawn as RGBA of 16 x 16.
struct DrawnStage {
  explicit DrawnStage(Engine* engine) : engine(engine) {
    face = Made<Face>([&](Face** out) { return engine->Enrol(portrait, out); });
    options.target = &format;
    scene = Made<Scene>([&](Scene** out) { return engine->Prepare(face.get(), options, out); });
    speech = Made<Speech>([&](Speech** out) { return engine->OpenSpeech(out); });
    speech->Push(nullptr, 1600);
    speech->Drain();
    controls = Made<Controls>([&](Controls** out) { return speech->Take(0, out); });
    renderer = Made<Renderer>([&](Renderer** out) { return engine->CreateRenderer(out); });
    target.planes[0] = frame.data();
    target.strides[0] = 64;
    job.scene = scene.get();
    job.controls = controls.get();
    job.target = &target;
  }
  DrawnStage(const DrawnStage&) = delete;
  DrawnStage& operator=(const DrawnStage&) = delete;

  Status Draw() { return Draw(job); }
  Status Draw(const Job& wanted) {
    uint64_t ticket = 0;
    const Status submitted = renderer->Submit(wanted, &ticket);
    return submitted.ok() ? renderer->Wait(ticket, UINT64_MAX) : submitted;
  }

  Engine* const engine;
  const std::vector<uint8_t> grey = std::vector<uint8_t>(4 * 8 * 8, 100);
  const Pixels portrait{grey.data(), 8, 8, 32};
  const TargetFormat format{16,  16, PixelFormat::kRGBA, ColorMatrix::kBt709, ChromaSite::kCentered,
                            true};
  SceneOptions options;
  FrameTarget target;
  Job job;
  std::vector<uint8_t> frame = std::vector<uint8_t>(4 * 16 * 16);
  Held<Face> face;
  Held<Scene> scene;
  Held<Speech> speech;
  Held<Controls> controls;
  Held<Renderer> renderer;
};

}  // namespace talkface::test
