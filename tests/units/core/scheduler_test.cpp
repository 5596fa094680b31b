// SPDX-License-Identifier: MIT
#include "models/core/scheduler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <thread>

#include "tests/units/support/scripted_family.h"

namespace talkface {
namespace {

using test::ScriptedFamily;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kPatience = 300 * kSecond;  // only what hangs takes as long, at any load

Scheduler::Request FrameAt(uint64_t time_ns) {
  Scheduler::Request request;
  request.item.time_ns = time_ns;
  return request;
}

// Lets a test hold the one worker inside a drawing until it says so.
struct Gate {
  std::promise<void> entered, opened;
  std::shared_future<void> open = opened.get_future().share();
};

// Holds the worker at the frame of time 0, and records the times of all others as they are drawn.
std::function<void(const std::vector<RenderItem>&)> Recorder(Gate* gate,
                                                             std::vector<uint64_t>* order) {
  return [gate, order](const std::vector<RenderItem>& items) {
    if (items[0].time_ns != 0) return order->push_back(items[0].time_ns);
    gate->entered.set_value();
    gate->open.wait();
  };
}

TEST(Scheduler, TheMostUrgentFrameIsDrawnFirst) {
  ScriptedFamily family;
  Gate gate;
  std::vector<uint64_t> order;
  family.draw = Recorder(&gate, &order);
  Scheduler scheduler(family, 1);
  Scheduler::Client client(scheduler);
  client.Submit(FrameAt(0));
  gate.entered.get_future().wait();
  const uint64_t now = MonotonicNow();
  std::vector<uint64_t> tickets;
  for (const uint64_t due : {30u, 10u, 20u}) {
    Scheduler::Request request = FrameAt(due);
    request.deadline_ns = now + due * kPatience;
    tickets.push_back(client.Submit(request));
  }
  gate.opened.set_value();
  for (const uint64_t ticket : tickets) EXPECT_TRUE(client.Wait(ticket, kPatience).ok());
  EXPECT_EQ(order, (std::vector<uint64_t>{10, 20, 30}));
}

// As those of two renderers would, however many frames one of them has submitted.
TEST(Scheduler, StreamsOfOneRendererTakeTurns) {
  ScriptedFamily family;
  Gate gate;
  std::vector<uint64_t> order;
  family.draw = Recorder(&gate, &order);
  Scheduler scheduler(family, 1);
  Scheduler::Client client(scheduler);
  client.Submit(FrameAt(0));
  gate.entered.get_future().wait();
  std::vector<uint64_t> tickets;
  for (const uint64_t time : {10u, 11u, 12u, 20u, 21u}) {
    Scheduler::Request request = FrameAt(time);
    request.item.stream_id = time / 10;
    tickets.push_back(client.Submit(request));
  }
  gate.opened.set_value();
  for (const uint64_t ticket : tickets) EXPECT_TRUE(client.Wait(ticket, kPatience).ok());
  EXPECT_EQ(order, (std::vector<uint64_t>{10, 20, 11, 21, 12}));
}

TEST(Scheduler, AFrameAfterItsDeadlineIsNotDrawn) {
  ScriptedFamily family;
  int drawn = 0;
  family.draw = [&](const auto&) { ++drawn; };
  Scheduler scheduler(family, 1);
  Scheduler::Client client(scheduler);
  Scheduler::Request request = FrameAt(1);
  request.deadline_ns = 1;
  EXPECT_EQ(client.Wait(client.Submit(request), kPatience).code, Code::kLate);
  EXPECT_EQ(drawn, 0);
  EXPECT_EQ(scheduler.GetStats().late, 1u);
}

TEST(Scheduler, BatchesFormAcrossStreams) {
  ScriptedFamily family;
  family.max_batch = 2;
  std::atomic<size_t> largest{0};
  family.draw = [&](const auto& items) { largest = std::max(largest.load(), items.size()); };
  Scheduler scheduler(family, 1);
  Scheduler::Client one(scheduler), two(scheduler);
  Scheduler::Request request = FrameAt(1);
  request.batch_timeout_ns = kPatience;
  const uint64_t first = one.Submit(request);
  const uint64_t second = two.Submit(request);
  EXPECT_TRUE(one.Wait(first, kPatience).ok());
  EXPECT_TRUE(two.Wait(second, kPatience).ok());
  EXPECT_EQ(largest, 2u);
  EXPECT_EQ(scheduler.GetStats().batch_max, 2u);
}

TEST(Scheduler, AnIncompleteBatchIsDrawnAfterItsTimeout) {
  ScriptedFamily family;
  family.max_batch = 8;
  Scheduler scheduler(family, 1);
  Scheduler::Client client(scheduler);
  Scheduler::Request request = FrameAt(1);
  request.batch_timeout_ns = kSecond / 100;
  EXPECT_TRUE(client.Wait(client.Submit(request), kPatience).ok());
}

TEST(Scheduler, AFailingStreamDoesNotHarmAnother) {
  ScriptedFamily family;
  family.max_batch = 2;
  family.draw = [](const auto& items) {
    for (const RenderItem& item : items) {
      if (item.time_ns == 13) throw Error(Code::kFailed, "unlucky");
    }
  };
  Scheduler scheduler(family, 1);
  Scheduler::Client good(scheduler), bad(scheduler);
  Scheduler::Request request = FrameAt(13);
  request.batch_timeout_ns = kPatience;
  const uint64_t bad_ticket = bad.Submit(request);
  request.item.time_ns = 7;
  const uint64_t good_ticket = good.Submit(request);
  const Status failed = bad.Wait(bad_ticket, kPatience);
  EXPECT_EQ(failed.code, Code::kFailed);
  EXPECT_STREQ(failed.message, "unlucky");
  EXPECT_TRUE(good.Wait(good_ticket, kPatience).ok());
}

// Would never end otherwise: the drawing goes on until it is told that nobody wants the frame.
TEST(Scheduler, ADrawingSeesThatItIsCancelled) {
  ScriptedFamily family;
  std::promise<void> entered;
  family.draw = [&](const auto& items) {
    entered.set_value();
    while (!items[0].cancelled->load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  Scheduler scheduler(family, 1);
  Scheduler::Client client(scheduler);
  const uint64_t ticket = client.Submit(FrameAt(1));
  entered.get_future().wait();
  client.Cancel();
  EXPECT_EQ(client.Wait(ticket, 0).code, Code::kCancelled);
}

TEST(Scheduler, CancelReturnsOnlyWhenNoTargetIsTouched) {
  ScriptedFamily family;
  Gate gate;
  std::atomic<bool> drawing{false};
  family.draw = [&](const auto&) {
    drawing = true;
    gate.entered.set_value();
    gate.open.wait();
    drawing = false;
  };
  Scheduler scheduler(family, 1);
  Scheduler::Client client(scheduler);
  const uint64_t running = client.Submit(FrameAt(1));
  const uint64_t queued = client.Submit(FrameAt(2));
  gate.entered.get_future().wait();
  std::future<Code> waiting =
      std::async(std::launch::async, [&] { return client.Wait(queued, kPatience).code; });
  std::future<void> cancelled = std::async(std::launch::async, [&] { client.Cancel(); });
  EXPECT_EQ(waiting.get(), Code::kCancelled);
  EXPECT_TRUE(drawing);
  gate.opened.set_value();
  cancelled.get();
  EXPECT_FALSE(drawing);
  EXPECT_EQ(client.Wait(running, 0).code, Code::kCancelled);
}

TEST(Scheduler, WaitGivesUpAndCanBeTriedAgain) {
  ScriptedFamily family;
  Gate gate;
  family.draw = [&](const auto&) { gate.open.wait(); };
  Scheduler scheduler(family, 1);
  Scheduler::Client client(scheduler);
  const uint64_t ticket = client.Submit(FrameAt(1));
  EXPECT_EQ(client.Wait(ticket, 1000).code, Code::kTimeout);
  gate.opened.set_value();
  EXPECT_TRUE(client.Wait(ticket, UINT64_MAX).ok());
}

}  // namespace
}  // namespace talkface
