// SPDX-License-Identifier: MIT
// Who is served when, by a scripted clock: live streams beside offline ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
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
  void FailAlways(uint64_t frame) { failing_.insert(frame); }  // before it is submitted
  uint64_t NewFrame() { return ++last_frame_; }

  test::ScriptedClock clock;
  std::unique_ptr<Scheduler> scheduler;

 private:
  void Draw(const std::vector<RenderItem>& items) {
    Drawing drawing{clock.Now(), 0, {}};
    clock.Spend(drawing_ns_);
    drawing.end_ns = clock.Now();
    bool fails = false;
    std::lock_guard<std::mutex> lock(mutex_);
    for (const RenderItem& item : items) {
      drawing.frames.push_back(item.time_ns);
      fails = fails || failing_.count(item.time_ns) != 0;
    }
    drawings_.push_back(drawing);
    if (fails) throw Error(Code::kFailed, "unlucky");
  }

  const uint64_t drawing_ns_;
  test::ScriptedFamily family_;
  uint64_t last_frame_ = 0;
  std::mutex mutex_;
  std::vector<Drawing> drawings_;  // guarded by mutex_
  std::set<uint64_t> failing_;
};

// Submits a frame each `period`, wanted before the next one comes.
class LiveStream {
 public:
  LiveStream(Stage& stage, uint64_t period, uint64_t phase, bool fails = false)
      : stage_(stage),
        client_(*stage.scheduler),
        period_(period),
        next_(stage.clock.Now() + phase),
        fails_(fails) {}
  uint64_t next() const { return next_; }
  void Submit() {
    Scheduler::Request request;
    request.item.time_ns = stage_.NewFrame();
    request.deadline_ns = next_ + period_;
    request.batch_timeout_ns = 5 * kMs;
    if (fails_) stage_.FailAlways(request.item.time_ns);
    sent_.push_back({request.item.time_ns, next_});
    client_.Submit(request);
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
  Scheduler::Client client_;
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

class LiveBesideOffline : public testing::TestWithParam<Load> {};

TEST_P(LiveBesideOffline, NoLiveFrameIsLate) {
  const Load& load = GetParam();
  Scenario scenario(load.workers, load.drawing);
  OfflineStream& offline = scenario.offline.emplace_back(scenario.stage);
  scenario.Play(kSecond);
  for (uint64_t i = 0; i < 4; ++i)
    scenario.live.emplace_back(scenario.stage, load.period, i * load.period / 5);
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

// The live streams alone take 40, 38, 80 and 80 % of the workers' time.
INSTANTIATE_TEST_SUITE_P(Scheduler, LiveBesideOffline,
                         testing::Values(Load{"warp", 1, 4 * kMs, 40 * kMs, 1000},
                                         Load{"warp2", 2, 15 * kMs, 80 * kMs, 300},
                                         Load{"network", 2, 200 * kMs, 500 * kMs, 15},
                                         Load{"busy", 1, 8 * kMs, 40 * kMs, 200}),
                         [](const auto& load) { return std::string(load.param.name); });

}  // namespace
}  // namespace talkface
