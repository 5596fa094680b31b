// SPDX-License-Identifier: MIT
// Callers that were compiled with another header than the engine: with fewer fields, and with more.
// And what a version once had, every later one must have in the same place.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <stdexcept>

#include "models/engine.h"
#include "tests/units/support/engine_library.h"

namespace talkface {
namespace {

using test::DrawnStage;
using test::Held;
using test::Made;

// The first `size` bytes of a struct, as a caller has it whose version ends there: it says so, and
// its memory does, since behind it lies a page that nobody may read or write.
template <typename T>
class Older {
 public:
  Older(const T& whole, size_t size) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    readable_ = (size + page - 1) / page * page;
    total_ = readable_ + page;
    memory_ = static_cast<char*>(
        mmap(nullptr, total_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory_ == MAP_FAILED || mprotect(memory_ + readable_, page, PROT_NONE) != 0)
      throw std::runtime_error("no page to guard");
    place_ = memory_ + readable_ - size;
    std::memcpy(place_, static_cast<const void*>(&whole), size);
    const auto told = static_cast<uint32_t>(size);
    std::memcpy(place_, &told, sizeof told);
  }
  ~Older() { munmap(memory_, total_); }
  Older(const Older&) = delete;
  Older& operator=(const Older&) = delete;
  T* get() const { return reinterpret_cast<T*>(place_); }
  T& operator*() const { return *get(); }
  T* operator->() const { return get(); }

 private:
  size_t readable_ = 0, total_ = 0;
  char *memory_ = nullptr, *place_ = nullptr;
};

// The same with fields at the end that this version does not have.
template <typename T>
struct Newer {
  explicit Newer(const T& whole) : known(whole) { known.size = sizeof(Newer); }
  T known;
  uint64_t more[5] = {1, 2, 3, 4, 5};
  bool Untouched() const {
    for (uint64_t i = 0; i < 5; ++i)
      if (more[i] != i + 1) return false;
    return known.size == sizeof(Newer);
  }
};

class EngineVersions : public testing::Test {
 protected:
  EngineVersions() { options_.model = "fake"; }
  EngineOptions options_;
};

TEST_F(EngineVersions, ACallerWithSmallerStructsIsServed) {
  const Older<EngineOptions> options(options_, offsetof(EngineOptions, device_memory_limit));
  const auto engine = Made<Engine>([&](Engine** out) { return test::Open(options.get(), out); });
  DrawnStage now(engine.get());
  ASSERT_TRUE(now.Draw().ok());
  const std::vector<uint8_t> wanted = now.frame;
  std::fill(now.frame.begin(), now.frame.end(), uint8_t{0});

  const Older<TargetFormat> format(now.format, offsetof(TargetFormat, full_range));
  SceneOptions scene_options;
  scene_options.target = format.get();
  const Older<SceneOptions> older_options(scene_options, offsetof(SceneOptions, seed));
  const auto scene = Made<Scene>(
      [&](Scene** out) { return engine->Prepare(now.face.get(), *older_options, out); });
  const Older<FrameTarget> target(now.target, offsetof(FrameTarget, device));
  Job job = now.job;
  job.scene = scene.get();
  job.target = target.get();
  job.expression_gain = 3;  // beyond the end of the older struct
  const Older<Job> older_job(job, offsetof(Job, expression_gain));
  const Status status = now.Draw(*older_job);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_EQ(now.frame, wanted);
}

TEST_F(EngineVersions, ResultsEndWhereACallersStructDoes) {
  const auto engine = test::OpenPack("fake");
  DrawnStage stage(engine.get());
  ASSERT_TRUE(stage.Draw().ok());
  const Older<Stats> stats(Stats{}, offsetof(Stats, failed));
  ASSERT_TRUE(engine->GetStats(stats.get()).ok());
  EXPECT_EQ(stats->frames, 1u);
  EXPECT_EQ(stats->size, offsetof(Stats, failed));
  const Older<FaceInfo> face(FaceInfo{}, offsetof(FaceInfo, landmark_count));
  ASSERT_TRUE(engine->FindFace(stage.portrait, nullptr, face.get()).ok());
  EXPECT_EQ(face->box[2], 4.0f);
  EXPECT_EQ(face->size, offsetof(FaceInfo, landmark_count));
  EXPECT_TRUE(engine->FindFace(stage.portrait, face.get(), face.get()).ok());
}

TEST_F(EngineVersions, ACallerWithLargerStructsIsServed) {
  Newer<EngineOptions> options(options_);
  const auto engine = Made<Engine>([&](Engine** out) { return test::Open(&options.known, out); });
  DrawnStage stage(engine.get());
  ASSERT_TRUE(stage.Draw().ok());
  const std::vector<uint8_t> wanted = stage.frame;
  std::fill(stage.frame.begin(), stage.frame.end(), uint8_t{0});

  Newer<Pixels> portrait(stage.portrait);
  const auto face = Made<Face>([&](Face** out) { return engine->Enrol(portrait.known, out); });
  Newer<TargetFormat> format(stage.format);
  Newer<SceneOptions> scene_options(stage.options);
  scene_options.known.target = &format.known;
  const auto scene = Made<Scene>(
      [&](Scene** out) { return engine->Prepare(face.get(), scene_options.known, out); });
  Newer<FrameTarget> target(stage.target);
  Newer<Job> job(stage.job);
  job.known.scene = scene.get();
  job.known.target = &target.known;
  ASSERT_TRUE(stage.Draw(job.known).ok());
  EXPECT_EQ(stage.frame, wanted);

  Newer<Stats> stats((Stats()));
  ASSERT_TRUE(engine->GetStats(&stats.known).ok());
  EXPECT_EQ(stats.known.frames, 2u);
  EXPECT_TRUE(stats.Untouched());
  Newer<FaceInfo> found((FaceInfo()));
  ASSERT_TRUE(engine->FindFace(portrait.known, nullptr, &found.known).ok());
  EXPECT_GT(found.known.landmark_count, 0u);
  EXPECT_TRUE(found.Untouched());
}

TEST_F(EngineVersions, OnlyVersionsThatAreServedAreOpened) {
  for (const uint32_t abi : {0u, kEngineAbiOldest - 1, kEngineAbi + 1, UINT32_MAX}) {
    Engine* engine = nullptr;
    const Status status = test::Open(&options_, &engine, abi);
    EXPECT_EQ(status.code, Code::kUnsupported);
    EXPECT_NE(std::strstr(status.message, "one release"), nullptr) << status.message;
    EXPECT_NE(std::strstr(status.message, std::to_string(kEngineAbi).c_str()), nullptr);
    EXPECT_NE(std::strstr(status.message, std::to_string(abi).c_str()), nullptr);
    EXPECT_EQ(engine, nullptr);
  }
  for (uint32_t abi = kEngineAbiOldest; abi <= kEngineAbi; ++abi) {
    const auto engine = Made<Engine>([&](Engine** out) { return test::Open(&options_, out, abi); });
    EXPECT_NE(engine, nullptr);
  }
}

#define AT(type, field, offset) static_assert(offsetof(type, field) == (offset))
#define SIZE(type, bytes) static_assert(sizeof(type) >= (bytes))
#define FROZEN(type, bytes) static_assert(sizeof(type) == (bytes))

// Where version 4 has its fields on machines of 64 bits. None of these lines may ever change; what
// a later version adds begins at the size given here, or behind.
#if UINTPTR_MAX == UINT64_MAX
FROZEN(Status, 804);
FROZEN(ActionUnit, 16);
FROZEN(Option, 16);
FROZEN(OptionInfo, 24);
AT(Status, message, 4);
AT(Status, detail, 404);
AT(ActionUnit, name, 8);
AT(Option, value, 8);
AT(OptionInfo, default_value, 8);
AT(OptionInfo, help, 16);

AT(EngineOptions, precision, 4);
AT(EngineOptions, model, 8);
AT(EngineOptions, search_path, 16);
AT(EngineOptions, device, 24);
AT(EngineOptions, device_memory_limit, 32);
AT(EngineOptions, progress, 40);
AT(EngineOptions, user, 48);
SIZE(EngineOptions, 56);

AT(EngineInfo, sample_rate_hz, 4);
AT(EngineInfo, name, 8);
AT(EngineInfo, family, 16);
AT(EngineInfo, version, 24);
AT(EngineInfo, licence, 32);
AT(EngineInfo, device, 40);
AT(EngineInfo, warning, 48);
AT(EngineInfo, look_ahead_min_ns, 56);
AT(EngineInfo, look_ahead_default_ns, 64);
AT(EngineInfo, look_ahead_max_ns, 72);
AT(EngineInfo, units, 80);
AT(EngineInfo, options, 88);
AT(EngineInfo, unit_count, 96);
AT(EngineInfo, option_count, 100);
AT(EngineInfo, memory_kinds, 104);
AT(EngineInfo, scales_expression, 108);
AT(EngineInfo, base_frames, 112);
SIZE(EngineInfo, 120);

AT(Pixels, width, 4);
AT(Pixels, height, 8);
AT(Pixels, data, 16);
AT(Pixels, stride, 24);
SIZE(Pixels, 32);

AT(FaceInfo, faces, 4);
AT(FaceInfo, box, 8);
AT(FaceInfo, yaw_deg, 24);
AT(FaceInfo, score, 36);
AT(FaceInfo, warning, 40);
AT(FaceInfo, landmark_count, 240);
AT(FaceInfo, landmarks, 244);
SIZE(FaceInfo, 6388);

AT(TargetFormat, width, 4);
AT(TargetFormat, height, 8);
AT(TargetFormat, format, 12);
AT(TargetFormat, matrix, 16);
AT(TargetFormat, chroma_site, 20);
AT(TargetFormat, full_range, 24);
SIZE(TargetFormat, 32);

AT(SceneOptions, add_borders, 4);
AT(SceneOptions, target, 8);
AT(SceneOptions, seed, 16);
AT(SceneOptions, pixel_aspect, 24);
AT(SceneOptions, idle_motion, 32);
AT(SceneOptions, label, 36);
AT(SceneOptions, options, 40);
AT(SceneOptions, option_count, 48);
SIZE(SceneOptions, 56);

AT(FrameTarget, memory, 4);
AT(FrameTarget, planes, 8);
AT(FrameTarget, strides, 40);
AT(FrameTarget, device, 72);
AT(FrameTarget, fence, 80);
SIZE(FrameTarget, 88);

AT(BaseFrame, pixels, 8);
AT(BaseFrame, face, 16);
SIZE(BaseFrame, 24);

AT(Job, scene, 8);
AT(Job, controls, 16);
AT(Job, target, 24);
AT(Job, time_ns, 32);
AT(Job, expression_gain, 40);
AT(Job, deadline_ns, 48);
AT(Job, batch_timeout_ns, 56);
AT(Job, stream_id, 64);
AT(Job, base, 72);
SIZE(Job, 80);

AT(Stats, frames, 8);
AT(Stats, failed, 16);
AT(Stats, late, 24);
AT(Stats, cancelled, 32);
AT(Stats, render_ns_sum, 40);
AT(Stats, render_ns_max, 48);
AT(Stats, batches, 56);
AT(Stats, batch_max, 64);
SIZE(Stats, 72);
#endif

// Which entry of a class's table of functions a method is: what callers built elsewhere call.
template <typename Method>
size_t Place(Method method) {
  uintptr_t pair[2] = {};
  static_assert(sizeof method == sizeof pair);
  std::memcpy(pair, &method, sizeof method);
#if defined(__aarch64__) || defined(__arm__)
  return pair[0] / sizeof(void*);  // whether it is virtual is told by the other word
#else
  return (pair[0] - 1) / sizeof(void*);
#endif
}

TEST(EngineTables, MethodsOfVersion4StayWhereTheyAre) {
  EXPECT_EQ(Place(&Object::Ref), 0u);
  EXPECT_EQ(Place(&Object::Unref), 1u);
  EXPECT_EQ(Place(&Face::Info), 2u);
  EXPECT_EQ(Place(&Controls::Units), 2u);
  EXPECT_EQ(Place(&Controls::Idle), 3u);
  size_t place = 2;
  EXPECT_EQ(Place(&Speech::Push), place++);
  EXPECT_EQ(Place(&Speech::Ready), place++);
  EXPECT_EQ(Place(&Speech::Take), place++);
  EXPECT_EQ(Place(&Speech::SetLookAhead), place++);
  EXPECT_EQ(Place(&Speech::LookAhead), place++);
  EXPECT_EQ(Place(&Speech::Drain), place++);
  EXPECT_EQ(Place(&Speech::Interrupt), place++);
  EXPECT_EQ(Place(&Speech::Reset), place++);
  place = 2;
  EXPECT_EQ(Place(&Renderer::Submit), place++);
  EXPECT_EQ(Place(&Renderer::Wait), place++);
  EXPECT_EQ(Place(&Renderer::Cancel), place++);
  place = 2;
  EXPECT_EQ(Place(&Engine::Info), place++);
  EXPECT_EQ(Place(&Engine::FindFace), place++);
  EXPECT_EQ(Place(&Engine::Enrol), place++);
  EXPECT_EQ(Place(&Engine::OpenSpeech), place++);
  EXPECT_EQ(Place(&Engine::Prepare), place++);
  EXPECT_EQ(Place(&Engine::CreateRenderer), place++);
  EXPECT_EQ(Place(&Engine::Now), place++);
  EXPECT_EQ(Place(&Engine::GetStats), place++);
  EXPECT_EQ(Place(&Engine::MemoryUse), place++);
}

}  // namespace
}  // namespace talkface
