// SPDX-License-Identifier: MIT
#include "models/core/scheduler.h"

#include <algorithm>
#include <utility>

namespace talkface {

enum class Phase { kQueued, kDrawing, kDone };

struct Work {
  Scheduler::Request request;
  Scheduler::Client* client = nullptr;  // outlives the work: it cancels and waits before it goes
  uint64_t submitted_ns = 0;
  Phase phase = Phase::kQueued;
  std::atomic<bool> cancelled{false};  // changed with the scheduler's mutex_
  Status status;

  // What the queue is ordered by: the deadline, or for frames without one the time they came.
  uint64_t Urgency() const { return request.deadline_ns != 0 ? request.deadline_ns : submitted_ns; }
};

namespace {

bool IsLate(const Work& work, uint64_t now_ns) {
  return work.request.deadline_ns != 0 && now_ns > work.request.deadline_ns;
}

}  // namespace

Scheduler::Scheduler(Family& family, unsigned threads, Clock& clock)
    : family_(family), clock_(clock) {
  for (unsigned i = 0; i < threads; ++i) workers_.emplace_back([this] { Run(); });
}

Scheduler::~Scheduler() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  queued_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

Stats Scheduler::GetStats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

void Scheduler::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    while (!stopping_ && queue_.empty()) clock_.WaitUntil(queued_, lock, UINT64_MAX);
    if (stopping_) return;
    const Batch batch = TakeBatch(lock);
    if (batch.empty()) continue;
    lock.unlock();
    Draw(batch);
    lock.lock();
  }
}

// Takes the most urgent frames. A family that draws batches waits for more of them, at most as long
// as the oldest frame allows. mutex_ is held; waiting releases it.
Scheduler::Batch Scheduler::TakeBatch(std::unique_lock<std::mutex>& lock) {
  const size_t most = std::max(1u, family_.MaxBatch());
  while (!stopping_ && !queue_.empty() && queue_.size() < most) {
    uint64_t until = UINT64_MAX;
    for (const auto& work : queue_) {
      uint64_t limit = work->submitted_ns + work->request.batch_timeout_ns;
      if (work->request.deadline_ns != 0) limit = std::min(limit, work->request.deadline_ns);
      until = std::min(until, limit);
    }
    if (clock_.Now() >= until) break;
    clock_.WaitUntil(queued_, lock, until);
  }
  Batch batch;
  const uint64_t now = clock_.Now();
  while (!stopping_ && !queue_.empty() && batch.size() < most) {
    const std::shared_ptr<Work> work = queue_.front();
    queue_.pop_front();
    if (IsLate(*work, now)) {
      Finish(work, MakeStatus(Code::kLate, "The frame came too late to be drawn."));
      continue;
    }
    work->phase = Phase::kDrawing;
    batch.push_back(work);
  }
  return batch;
}

// Without mutex_: draws a batch; if it fails, each frame alone, so that one stream cannot harm
// another.
void Scheduler::Draw(const Batch& batch) {
  const uint64_t begin = clock_.Now();
  std::vector<RenderItem> items;
  for (const auto& work : batch) items.push_back(work->request.item);
  std::vector<Status> results(batch.size());
  const Status whole = Guard("render", [&] { family_.Render(items); });
  if (!whole.ok()) {
    for (size_t i = 0; i < batch.size(); ++i) {
      results[i] = batch.size() == 1 ? whole : Guard("render", [&] { family_.Render({items[i]}); });
    }
  }
  items.clear();
  const uint64_t each = (clock_.Now() - begin) / batch.size();
  std::lock_guard<std::mutex> lock(mutex_);
  ++stats_.batches;
  stats_.batch_max = std::max<uint64_t>(stats_.batch_max, batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    stats_.render_ns_sum += each;
    stats_.render_ns_max = std::max(stats_.render_ns_max, each);
    Finish(batch[i], results[i]);
  }
}

void Scheduler::Finish(const std::shared_ptr<Work>& work, const Status& status) {
  work->phase = Phase::kDone;
  work->status = work->cancelled ? MakeStatus(Code::kCancelled, "Cancelled.") : status;
  work->request.item = RenderItem{};
  switch (work->status.code) {
    case Code::kOk:
      ++stats_.frames;
      break;
    case Code::kLate:
      ++stats_.late;
      break;
    case Code::kCancelled:
      ++stats_.cancelled;
      break;
    default:
      ++stats_.failed;
  }
  work->client->done_.notify_all();
}

uint64_t Scheduler::Client::Submit(Request request) {
  auto work = std::make_shared<Work>();
  work->request = std::move(request);
  work->request.item.cancelled = &work->cancelled;
  work->client = this;
  work->submitted_ns = scheduler_.clock_.Now();
  uint64_t ticket = 0;
  {
    std::lock_guard<std::mutex> lock(scheduler_.mutex_);
    ticket = ++scheduler_.last_ticket_;
    works_[ticket] = work;
    auto& queue = scheduler_.queue_;
    const auto place = std::find_if(queue.begin(), queue.end(), [&](const auto& other) {
      return other->Urgency() > work->Urgency();
    });
    queue.insert(place, work);
  }
  scheduler_.queued_.notify_one();
  return ticket;
}

Status Scheduler::Client::Wait(uint64_t ticket, uint64_t timeout_ns) {
  std::unique_lock<std::mutex> lock(scheduler_.mutex_);
  const auto found = works_.find(ticket);
  if (found == works_.end()) return MakeStatus(Code::kCancelled, "Cancelled.");
  const std::shared_ptr<Work> work = found->second;
  Clock& clock = scheduler_.clock_;
  const uint64_t now = clock.Now(), until = now + std::min(timeout_ns, UINT64_MAX - now);
  while (work->phase != Phase::kDone) {
    if (clock.Now() >= until) return MakeStatus(Code::kTimeout, "The frame is not finished yet.");
    clock.WaitUntil(done_, lock, until);
  }
  works_.erase(ticket);
  return work->status;
}

void Scheduler::Client::Cancel() {
  std::unique_lock<std::mutex> lock(scheduler_.mutex_);
  for (auto& [ticket, work] : works_) {
    if (work->phase == Phase::kDone) continue;
    work->cancelled = true;
    if (work->phase == Phase::kQueued) {
      scheduler_.queue_.remove(work);
      scheduler_.Finish(work, Status{});
    }
  }
  done_.wait(lock, [this] {
    return std::all_of(works_.begin(), works_.end(),
                       [](const auto& entry) { return entry.second->phase == Phase::kDone; });
  });
  works_.clear();
}

}  // namespace talkface
