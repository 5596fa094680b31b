// SPDX-License-Identifier: MIT
// The engine as its users see it: through the library's C entry, with the fake family.
#include "models/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/units/support/engine_library.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface {
namespace {

using test::Entry;
using test::Held;
using test::Open;
using test::OpenPack;

constexpr uint64_t kSecond = 1'000'000'000;

std::string FakeManifest(const nlohmann::json& settings) {
  return nlohmann::json({{"schema", 1},
                         {"name", "scripted"},
                         {"family", "fake"},
                         {"version", "1"},
                         {"licence", "MIT"},
                         {"timing",
                          {{"sample_rate_hz", 16000},
                           {"hop_samples", 320},
                           {"look_behind_ms", 0},
                           {"look_ahead_min_ms", 0},
                           {"look_ahead_default_ms", 200},
                           {"look_ahead_max_ms", 400}}},
                         {"fake", settings}})
      .dump();
}

class EngineTest : public testing::Test {
 protected:
  // Draws the frame at `time_ns` as RGBA and returns its first pixel's bytes.
  uint32_t FirstPixel(Engine* engine, Speech* speech, uint64_t time_ns) {
    std::vector<uint8_t> portrait(4 * 8 * 8, 100), frame(4 * 16 * 16);
    Face* face = nullptr;
    EXPECT_TRUE(engine->Enrol({portrait.data(), 8, 8, 32}, &face).ok());
    const Held<Face> held_face(face);
    SceneOptions options;
    const TargetFormat format{
        16, 16, PixelFormat::kRGBA, ColorMatrix::kBt709, ChromaSite::kCentered, true};
    options.target = &format;
    Scene* scene = nullptr;
    EXPECT_TRUE(engine->Prepare(face, options, &scene).ok());
    const Held<Scene> held_scene(scene);
    Renderer* renderer = nullptr;
    EXPECT_TRUE(engine->CreateRenderer(&renderer).ok());
    const Held<Renderer> held_renderer(renderer);
    Controls* controls = nullptr;
    EXPECT_TRUE(speech->Take(time_ns, &controls).ok());
    const Held<Controls> held_controls(controls);
    FrameTarget target;
    target.planes[0] = frame.data();
    target.strides[0] = 64;
    Job job;
    job.scene = scene;
    job.controls = controls;
    job.target = &target;
    job.time_ns = time_ns;
    uint64_t ticket = 0;
    EXPECT_TRUE(renderer->Submit(job, &ticket).ok());
    EXPECT_TRUE(renderer->Wait(ticket, 10 * kSecond).ok());
    uint32_t pixel = 0;
    std::memcpy(&pixel, frame.data(), 4);
    return pixel;
  }
};

TEST_F(EngineTest, StreamsShareOneEngine) {
  const auto one = OpenPack("fake"), two = OpenPack("fake");
  EXPECT_EQ(one.get(), two.get());
}

TEST_F(EngineTest, NamesOfOneDeviceShareOneEngine) {
  std::vector<Held<Engine>> engines;
  for (const char* device : {"auto", "cpu", static_cast<const char*>(nullptr)}) {
    EngineOptions options;
    options.model = "fake";
    options.device = device;
    Engine* engine = nullptr;
    ASSERT_TRUE(Open(options, &engine).ok());
    engines.emplace_back(engine);
    EXPECT_EQ(engines.back().get(), engines.front().get());
    EXPECT_STREQ(engine->Info().device, "cpu");
  }
}

// Opens a pack, and in its progress others.
struct Opener {
  explicit Opener(std::string pack) : model(std::move(pack)) {
    options.model = model.c_str();
    options.user = this;
    options.progress = [](void* user, int, const char*) {
      auto* opener = static_cast<Opener*>(user);
      ++opener->told;
      opener->thread = std::this_thread::get_id();
      for (Opener* other : std::exchange(opener->nested, {})) other->OpenNow();
    };
  }
  Opener(const Opener&) = delete;
  Opener& operator=(const Opener&) = delete;
  void OpenNow() {
    Engine* opened = nullptr;
    status = Open(options, &opened);
    engine.reset(opened);
  }
  const std::string model;
  EngineOptions options;
  std::vector<Opener*> nested;  // opened in the first progress report
  int told = 0;
  std::thread::id thread;  // of the last report
  Status status;
  Held<Engine> engine;
};

TEST_F(EngineTest, ProgressMayOpenTheSamePackAndAnother) {
  const test::TemporaryFolder folder;
  for (const char* name : {"a", "b", "broken"}) {
    folder.Write(std::string(name) + "/manifest.json",
                 FakeManifest({{"fail_open", name[1] == 'r'}}));
  }
  Opener outer(folder / "a"), same(folder / "a"), other(folder / "b"), broken(folder / "broken"),
      again(folder / "a");
  other.nested = {&again};
  outer.nested = {&same, &other, &broken};
  outer.OpenNow();
  for (const Opener* opener : {&outer, &same, &other, &again}) {
    ASSERT_TRUE(opener->status.ok()) << opener->status.message;
  }
  EXPECT_EQ(same.engine.get(), outer.engine.get());
  EXPECT_EQ(again.engine.get(), outer.engine.get());
  EXPECT_NE(other.engine.get(), outer.engine.get());
  EXPECT_EQ(broken.status.code, Code::kFailed);
  EXPECT_EQ(outer.told, 1);
  EXPECT_LE(same.told, 1);  // it waited for the same load, if that had not ended meanwhile
  EXPECT_EQ(outer.thread, std::this_thread::get_id());
}

// Many at once, of which some fail, over and over: an engine is loaded once, and goes with its
// last.
TEST_F(EngineTest, ManyThreadsOpenAndCloseTheSamePacks) {
  const test::TemporaryFolder folder;
  folder.Write("good/manifest.json", FakeManifest({{"fail_open", false}}));
  folder.Write("bad/manifest.json", FakeManifest({{"fail_open", true}}));
  const std::string good = folder / "good", bad = folder / "bad";
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&good, &bad] {
      for (int round = 0; round < 50; ++round) {
        Opener works(good), shared(good), fails(bad);
        works.nested = {&shared};
        works.OpenNow();
        fails.OpenNow();
        EXPECT_TRUE(works.status.ok()) << works.status.message;
        EXPECT_EQ(fails.status.code, Code::kFailed);
        // Not opened where `works` was there already: nothing was loaded then.
        EXPECT_TRUE(!shared.engine || shared.engine.get() == works.engine.get());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(EngineTest, AnotherMemoryLimitIsAnotherEngine) {
  EngineOptions options;
  options.model = "fake";
  options.device_memory_limit = 1 << 20;
  Engine* engine = nullptr;
  ASSERT_TRUE(Open(options, &engine).ok());
  const Held<Engine> limited(engine);
  EXPECT_NE(limited.get(), OpenPack("fake").get());
}

TEST_F(EngineTest, WrongPacksAndDevicesSaySo) {
  EngineOptions options;
  Engine* engine = nullptr;
  options.model = "no-such-pack";
  EXPECT_EQ(Open(options, &engine).code, Code::kNotFound);
  options.model = "fake";
  options.device = "cuda:7";
  const Status status = Open(options, &engine);
  EXPECT_EQ(status.code, Code::kUnsupported);
  EXPECT_NE(std::strstr(status.message, "cuda:7"), nullptr);
}

TEST_F(EngineTest, FailuresOfAFamilyAreStatuses) {
  const test::TemporaryFolder folder;
  folder.Write("a/manifest.json", FakeManifest({{"fail_open", true}}));
  EngineOptions options;
  const std::string model = folder / "a";
  options.model = model.c_str();
  Engine* engine = nullptr;
  EXPECT_EQ(Open(options, &engine).code, Code::kFailed);
  folder.Write("b/manifest.json", FakeManifest({{"fail_enrol", true}}));
  const auto blind = OpenPack((folder / "b").c_str());
  const uint8_t pixel[4] = {};
  Face* face = nullptr;
  EXPECT_EQ(blind->Enrol({pixel, 1, 1, 4}, &face).code, Code::kNoFace);
  folder.Write("c/manifest.json", FakeManifest({{"delay_ms", -1}}));
  const std::string wrong = folder / "c";
  options.model = wrong.c_str();
  const Status status = Open(options, &engine);
  EXPECT_EQ(status.code, Code::kBadPack);
  EXPECT_NE(std::strstr(status.message, "fake.delay_ms is -1, wanted 0 to 10000"), nullptr)
      << status.message;
  folder.Write("d/manifest.json", FakeManifest({{"fail_at_frame", UINT64_MAX}}));  // is not -1
  const std::string huge = folder / "d";
  options.model = huge.c_str();
  EXPECT_EQ(Open(options, &engine).code, Code::kBadPack);
}

TEST_F(EngineTest, EveryCutOfTheSpeechGivesTheSameFrame) {
  std::vector<float> samples(16000);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<float>(i % 97) / 97;
  samples[500] = std::numeric_limits<float>::quiet_NaN();
  const auto engine = OpenPack("fake");
  uint32_t expected = 0;
  for (const size_t cut : {16000u, 1u, 7u, 320u, 1023u}) {
    Speech* speech = nullptr;
    ASSERT_TRUE(engine->OpenSpeech(&speech).ok());
    const Held<Speech> held(speech);
    for (size_t i = 0; i < samples.size(); i += cut) {
      speech->Push(samples.data() + i, std::min(cut, samples.size() - i));
    }
    EXPECT_TRUE(speech->Ready(kSecond / 2));
    EXPECT_FALSE(speech->Ready(kSecond * 9 / 10));
    const uint32_t pixel = FirstPixel(engine.get(), speech, 0);
    if (expected == 0) expected = pixel;
    EXPECT_EQ(pixel, expected) << "cut " << cut;
  }
}

TEST_F(EngineTest, PacksAreListed) {
  std::vector<nlohmann::json> packs;
  Entry<decltype(talkface_engine_list_packs)>("talkface_engine_list_packs")(
      nullptr,
      [](void* user, const char* json) {
        static_cast<std::vector<nlohmann::json>*>(user)->push_back(nlohmann::json::parse(json));
      },
      &packs);
  bool found = false;
  for (const auto& pack : packs)
    found = found || (pack["name"] == "fake" && pack["licence"] == "MIT");
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace talkface
