// SPDX-License-Identifier: MIT
// Who is served when, by a scripted clock: live streams beside offline ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "models/core/scheduler.h"
#include "tests/units/support/scripted_clock.h"
#include "tests/units/support/scripted_family.h"

namespace talkface {
namespace {

constexpr uint64_t kMs = 1'000'000, kSecond = 1000 * kMs;
constexpr size_t kFramesAhead = 8;  // that an offline stream has submitted and not yet got

// An engine of `workers` whose every drawing takes `drawing_ns`, and what became of each frame.
class Stage {
 public:
  Stage(unsigned workers, uint64_t drawing_ns, uint32_t max_batch = 1)
      : clock(workers), drawing_ns_(drawing_ns) {
    family_.max_batch = max_batch;
    family_.draw = [this](const auto& items) { Draw(items); };
    scheduler = std::make_unique<Scheduler>(family_, workers, clock);
  }
  ~Stage() {
    clock.End();
    scheduler.reset();
  }

  struct Drawing {
    uint64_t begin_ns, end_ns;
    std::vector<uint64_t> frames;
  };
  // Once the clock has stood still.
  std::vector<Drawing> Drawings() {
    std::lock_guard<std::mutex> lock(mutex_);
    return drawings_;
  }
  std::map<uint64_t, uint64_t> Ends() {
    std::map<uint64_t, uint64_t> ends;
    for (const Drawing& drawing : Drawings())
      for (const uint64_t frame : drawing.frames) ends[frame] = drawing.end_ns;
    return ends;
  }
  void FailAlways(uint64_t frame) {  // before it is submitted
    std::lock_guard<std::mutex> lock(mutex_);
    failing_.insert(frame);
  }
  bool Fails(const Drawing& drawing) {
    std::lock_guard<std::mutex> lock(mutex_);
    return std::any_of(drawing.frames.begin(), drawing.frames.end(),
                       [this](uint64_t frame) { return failing_.count(frame) != 0; });
  }
  uint64_t NewFrame() { return ++last_frame_; }

  test::ScriptedClock clock;
  std::unique_ptr<Scheduler> scheduler;

 private:
  void Draw(const std::vector<RenderItem>& items) {
    Drawing drawing{clock.Now(), 0, {}};
    clock.Spend(drawing_ns_);
    drawing.end_ns = clock.Now();
    for (const RenderItem& item : items) drawing.frames.push_back(item.time_ns);
    const bool fails = Fails(drawing);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      drawings_.push_back(drawing);
    }
    if (fails) throw Error(Code::kFailed, "unlucky");
  }

  const uint64_t drawing_ns_;
  test::ScriptedFamily family_;
  uint64_t last_frame_ = 0;
  std::mutex mutex_;
  std::vector<Drawing> drawings_;  // guarded by mutex_
  std::set<uint64_t> failing_;     // guarded by mutex_
};

// Submits a frame each `period`, wanted before the next one comes.
class LiveStream {
 public:
  // Without `renderer` it has one of its own.
  LiveStream(Stage& stage, uint64_t period, uint64_t phase, bool fails = false,
             std::shared_ptr<Scheduler::Client> renderer = nullptr)
      : stage_(stage),
        client_(renderer != nullptr ? std::move(renderer)
                                    : std::make_shared<Scheduler::Client>(*stage.scheduler)),
        id_(stage.NewFrame()),
        period_(period),
        next_(stage.clock.Now() + phase),
        fails_(fails) {}
  uint64_t next() const { return next_; }
  void Stop() { next_ = UINT64_MAX; }
  void Submit() {
    Scheduler::Request request;
    request.item.time_ns = stage_.NewFrame();
    request.item.stream_id = id_;
    request.deadline_ns = next_ + period_;
    request.batch_timeout_ns = 5 * kMs;
    if (fails_) stage_.FailAlways(request.item.time_ns);
    sent_.push_back({request.item.time_ns, next_});
    client_->Submit(request);
    next_ += period_;
  }
  // Of the frames whose deadline has passed.
  struct Result {
    size_t frames = 0, late = 0;
    uint64_t wait_sum = 0;  // ns from Submit to the end of the drawing
    uint64_t MeanWait() const { return wait_sum / std::max<size_t>(1, frames - late); }
  };
  void AddTo(Result* result) {
    const auto ends = stage_.Ends();
    for (const auto& [frame, submitted] : sent_) {
      if (submitted + period_ > stage_.clock.Now()) continue;
      ++result->frames;
      const auto end = ends.find(frame);
      const bool in_time = end != ends.end() && end->second <= submitted + period_;
      if (in_time) result->wait_sum += end->second - submitted;
      result->late += in_time ? 0 : 1;
    }
  }

 private:
  Stage& stage_;
  const std::shared_ptr<Scheduler::Client> client_;
  const uint64_t id_;
  const uint64_t period_;
  uint64_t next_;
  const bool fails_;
  std::vector<std::pair<uint64_t, uint64_t>> sent_;  // frame, when
};

// Always has frames ahead.
class OfflineStream {
 public:
  explicit OfflineStream(Stage& stage) : stage_(stage), client_(*stage.scheduler) {}
  void Refill(size_t ahead = kFramesAhead) {
    while (!tickets_.empty() && client_.Wait(tickets_.front(), 0).code != Code::kTimeout) {
      tickets_.pop_front();
      ++done_;
    }
    while (tickets_.size() < ahead) {
      Scheduler::Request request;
      request.item.time_ns = stage_.NewFrame();
      request.batch_timeout_ns = 5 * kMs;
      tickets_.push_back(client_.Submit(request));
    }
  }
  size_t done() const { return done_; }

 private:
  Stage& stage_;
  Scheduler::Client client_;
  std::deque<uint64_t> tickets_;
  size_t done_ = 0;
};

// An engine and its streams.
class Scenario {
 public:
  Scenario(unsigned workers, uint64_t drawing_ns, uint32_t max_batch = 1)
      : stage(workers, drawing_ns, max_batch) {}
  ~Scenario() { stage.clock.End(); }  // the streams go next, and wait for what is being drawn

  // Time in steps of a millisecond: live frames come when they come, offline streams are refilled.
  void Play(uint64_t length) {
    for (const uint64_t end = stage.clock.Now() + length; stage.clock.Now() < end;) {
      for (OfflineStream& stream : offline) stream.Refill();
      for (LiveStream& stream : live) {
        while (stream.next() <= stage.clock.Now()) stream.Submit();
      }
      stage.clock.RunUntil(stage.clock.Now() + kMs);
    }
  }
  LiveStream::Result LiveResult() {
    LiveStream::Result result;
    for (LiveStream& stream : live) stream.AddTo(&result);
    return result;
  }

  Stage stage;
  std::list<LiveStream> live;
  std::list<OfflineStream> offline;
};

struct Load {
  const char* name;
  unsigned workers;
  uint64_t drawing, period;
  size_t offline_least;  // frames of the offline stream in ten seconds
};
void PrintTo(const Load& load, std::ostream* out) { *out << load.name; }

class LiveBesideOffline : public testing::TestWithParam<Load> {};

void ExpectNoLiveFrameLate(const Load& load, bool one_renderer) {
  Scenario scenario(load.workers, load.drawing);
  OfflineStream& offline = scenario.offline.emplace_back(scenario.stage);
  scenario.Play(kSecond);
  std::shared_ptr<Scheduler::Client> renderer;
  if (one_renderer) renderer = std::make_shared<Scheduler::Client>(*scenario.stage.scheduler);
  for (uint64_t i = 0; i < 4; ++i) {
    scenario.live.emplace_back(scenario.stage, load.period, i * load.period / 5, /*fails=*/false,
                               renderer);
  }
  const size_t before = offline.done();
  scenario.Play(10 * kSecond);
  const LiveStream::Result result = scenario.LiveResult();
  const size_t drawn = offline.done() - before;
  std::printf("%s: %zu live frames, %zu late, mean wait %.1f ms; %zu offline frames\n", load.name,
              result.frames, result.late, static_cast<double>(result.MeanWait()) / kMs, drawn);
  EXPECT_GE(result.frames, 4 * (10 * kSecond / load.period - 2));
  EXPECT_EQ(result.late, 0u);
  EXPECT_GE(drawn, load.offline_least);
}

TEST_P(LiveBesideOffline, NoLiveFrameIsLate) { ExpectNoLiveFrameLate(GetParam(), false); }
// Job::stream_id tells them apart.
TEST_P(LiveBesideOffline, NorWhereTheLiveOnesShareARenderer) {
  ExpectNoLiveFrameLate(GetParam(), true);
}

// The live streams alone take 40, 38, 80 and 80 % of the workers' time.
INSTANTIATE_TEST_SUITE_P(Scheduler, LiveBesideOffline,
                         testing::Values(Load{"warp", 1, 4 * kMs, 40 * kMs, 1000},
                                         Load{"warp2", 2, 15 * kMs, 80 * kMs, 300},
                                         Load{"network", 2, 200 * kMs, 500 * kMs, 10},
                                         Load{"busy", 1, 8 * kMs, 40 * kMs, 200}),
                         [](const auto& load) { return std::string(load.param.name); });

// Twice as much as the worker can do.
TEST(LiveStreams, OfflineFramesAreNotStarved) {
  Scenario scenario(1, 20 * kMs);
  OfflineStream& offline = scenario.offline.emplace_back(scenario.stage);
  for (uint64_t i = 0; i < 4; ++i)
    scenario.live.emplace_back(scenario.stage, 40 * kMs, i * 10 * kMs);
  scenario.Play(20 * kSecond);
  const size_t drawings = 20 * kSecond / (20 * kMs);
  EXPECT_NEAR(static_cast<double>(offline.done()),
              static_cast<double>(drawings) / (Scheduler::kMostPassedOver + 1), 2);
  const Stats stats = scenario.stage.scheduler->GetStats();
  EXPECT_NEAR(static_cast<double>(stats.frames), static_cast<double>(drawings), 2);  // never idle
  EXPECT_NEAR(static_cast<double>(stats.late), static_cast<double>(drawings), 50);
}

TEST(LiveStreams, AStreamThatOnlyFailsHarmsNobody) {
  Scenario scenario(1, 4 * kMs, 8);
  OfflineStream& offline = scenario.offline.emplace_back(scenario.stage);
  for (uint64_t i = 0; i < 4; ++i)
    scenario.live.emplace_back(scenario.stage, 40 * kMs, i * 2 * kMs);
  LiveStream failing(scenario.stage, 40 * kMs, kMs, true);
  scenario.Play(40 * kMs);
  for (const uint64_t end = scenario.stage.clock.Now() + 5 * kSecond;
       scenario.stage.clock.Now() < end;) {
    failing.Submit();
    scenario.Play(40 * kMs);
  }
  EXPECT_EQ(scenario.LiveResult().late, 0u);
  EXPECT_GT(offline.done(), 1000u);
  EXPECT_GT(scenario.stage.scheduler->GetStats().failed, 100u);
  size_t shared = 0;  // drawings that the failing stream has spoilt for others
  for (const Stage::Drawing& drawing : scenario.stage.Drawings())
    shared += drawing.frames.size() > 1 && scenario.stage.Fails(drawing) ? 1 : 0;
  EXPECT_LE(shared, 1u);
  scenario.stage.clock.End();
}

// The worker waits for a live stream's next frame no longer than for the time of one.
TEST(LiveStreams, AStreamThatSubmitsNoMoreIsNotWaitedFor) {
  Scenario scenario(1, 30 * kMs);
  LiveStream& live = scenario.live.emplace_back(scenario.stage, 40 * kMs, 0);
  scenario.Play(kSecond);
  live.Stop();
  OfflineStream& offline = scenario.offline.emplace_back(scenario.stage);
  scenario.Play(kSecond);
  EXPECT_GE(offline.done(), (kSecond - 80 * kMs) / (30 * kMs) - 1);
  EXPECT_EQ(scenario.LiveResult().late, 0u);
}

TEST(LiveStreams, AnOfflineStreamWithAThousandFramesAheadDelaysNoOther) {
  Scenario scenario(1, 5 * kMs);
  OfflineStream greedy(scenario.stage);
  greedy.Refill(1000);
  OfflineStream& modest = scenario.offline.emplace_back(scenario.stage);
  scenario.Play(kSecond);
  EXPECT_NEAR(static_cast<double>(modest.done()), 100, 5);
  scenario.stage.clock.End();
}

TEST(LiveStreams, ABatchWaitsNoLongerThanToTheMomentItMustBeBegun) {
  Scenario scenario(1, 10 * kMs, 8);
  Scheduler::Client client(*scenario.stage.scheduler);
  const uint64_t start = scenario.stage.clock.Now();
  for (const uint64_t wanted_in : {500 * kMs, 100 * kMs}) {
    Scheduler::Request request;
    request.item.time_ns = scenario.stage.NewFrame();
    request.deadline_ns = scenario.stage.clock.Now() + wanted_in;
    request.batch_timeout_ns = 200 * kMs;
    const uint64_t ticket = client.Submit(request);
    scenario.stage.clock.RunUntil(scenario.stage.clock.Now() + kSecond);
    EXPECT_TRUE(client.Wait(ticket, 0).ok());
  }
  const auto drawings = scenario.stage.Drawings();
  ASSERT_EQ(drawings.size(), 2u);
  EXPECT_EQ(drawings[0].begin_ns, start + 200 * kMs);  // its own time-out
  EXPECT_EQ(drawings[1].begin_ns, start + kSecond + 90 * kMs);
  scenario.stage.clock.End();
}

// Two live frames in one batch, and the offline ones in another.
TEST(LiveStreams, LiveFramesShareNoBatchWithOfflineOnes) {
  Scenario scenario(1, 10 * kMs, 8);
  Scheduler::Client offline(*scenario.stage.scheduler), live(*scenario.stage.scheduler);
  const auto submit = [&](Scheduler::Client& client, uint64_t deadline) {
    Scheduler::Request request;
    request.item.time_ns = scenario.stage.NewFrame();
    request.deadline_ns = deadline;
    request.batch_timeout_ns = 50 * kMs;
    client.Submit(request);
  };
  const uint64_t deadline = scenario.stage.clock.Now() + kSecond;
  for (int i = 0; i < 2; ++i) submit(offline, 0);
  for (int i = 0; i < 2; ++i) submit(live, deadline);
  scenario.stage.clock.RunUntil(deadline);
  const auto drawings = scenario.stage.Drawings();
  ASSERT_EQ(drawings.size(), 2u);
  EXPECT_EQ(drawings[0].frames, (std::vector<uint64_t>{3, 4}));
  EXPECT_EQ(drawings[1].frames, (std::vector<uint64_t>{1, 2}));
  scenario.stage.clock.End();
}

// As an element's do whose sink holds each frame until it is shown.
TEST(Pace, FramesThatComeTwoAtOnceAreForeseenTogether) {
  Pace pace;
  pace.Add(kSecond, kSecond + 100 * kMs);
  EXPECT_FALSE(pace.IsExpected(kSecond));  // of one frame nothing can be foreseen
  uint64_t time = kSecond;
  for (int pair = 0; pair < 5; ++pair, time += 80 * kMs) {
    if (pair > 0) pace.Add(time, time + 100 * kMs);
    pace.Add(time, time + 140 * kMs);
  }
  EXPECT_NEAR(static_cast<double>(pace.NextDue()), static_cast<double>(time + 40 * kMs), 6 * kMs);
  EXPECT_TRUE(pace.IsExpected(time));
  EXPECT_FALSE(pace.IsExpected(time + 40 * kMs));
}

}  // namespace
}  // namespace talkface
