// SPDX-License-Identifier: MIT
#include "models/core/scheduler.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace talkface {

enum class Phase { kQueued, kDrawing, kDone };

struct Work {
  Scheduler::Request request;
  Scheduler::Client* client = nullptr;  // outlives the work: it cancels and waits before it goes
  Scheduler::Stream* stream = nullptr;  // of the client; stays while the work is unfinished
  uint64_t submitted_ns = 0;
  uint64_t turn = 0;  // an offline frame's place among those of all streams
  Phase phase = Phase::kQueued;
  std::atomic<bool> cancelled{false};  // changed with the scheduler's mutex_
  Status status;

  bool IsLive() const { return request.deadline_ns != 0; }
  // What a queue is ordered by. All live frames of an engine take equally long to draw, as far as
  // it knows, so that the first deadline is also the first moment at which one must be begun.
  uint64_t Order() const { return IsLive() ? request.deadline_ns : turn; }
};

namespace {

constexpr uint64_t kNever = UINT64_MAX;

uint64_t Later(uint64_t time_ns, uint64_t by_ns) {
  return time_ns + std::min(by_ns, kNever - time_ns);
}

}  // namespace

Scheduler::Scheduler(Family& family, unsigned threads, Clock& clock)
    : family_(family), clock_(clock), threads_(threads), most_(std::max(1u, family.MaxBatch())) {
  for (unsigned i = 0; i < threads; ++i) workers_.emplace_back([this] { Run(); });
}

Scheduler::~Scheduler() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

Stats Scheduler::GetStats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

void Scheduler::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    const Plan plan = NextPlan(clock_.Now());
    if (!plan.draw) {
      clock_.WaitUntil(changed_, lock, plan.until_ns);
      continue;
    }
    const Batch batch = TakeBatch(plan.kind);
    // What is left may be for another worker.
    if (!queues_[kLive].empty() || !queues_[kOffline].empty()) changed_.notify_one();
    lock.unlock();
    Draw(batch, plan.kind);
    lock.lock();
  }
}

Scheduler::Plan Scheduler::NextPlan(uint64_t now_ns) {
  DropLate(now_ns);
  const uint64_t live_at = BatchReadyAt(kLive), offline_at = BatchReadyAt(kOffline);
  const bool owed = passed_over_ >= kMostPassedOver;
  if (owed && offline_at <= now_ns) return {true, kOffline, now_ns};
  if (live_at <= now_ns) return {true, kLive, now_ns};
  if (offline_at == kNever) return {false, kLive, live_at};
  const uint64_t allowed_at = owed ? now_ns : OfflineAllowedAt(now_ns);
  const uint64_t at = std::max(offline_at, allowed_at);
  if (at <= now_ns) return {true, kOffline, now_ns};
  return {false, kOffline, std::min(live_at, at)};
}

void Scheduler::DropLate(uint64_t now_ns) {
  Queue& queue = queues_[kLive];
  while (!queue.empty() && queue.front()->request.deadline_ns < now_ns) {
    const std::shared_ptr<Work> work = queue.front();
    queue.pop_front();
    Finish(work, MakeStatus(Code::kLate, "The frame came too late to be drawn."));
  }
}

// How long a drawing of that kind takes; while none has ended, one of the other kind; else 0.
uint64_t Scheduler::TimeOf(Kind kind) const {
  const Kind other = kind == kLive ? kOffline : kLive;
  return drawing_time_[drawing_time_[kind].IsKnown() ? kind : other].Longest();
}

// Until when more frames may be waited for.
uint64_t Scheduler::BatchReadyAt(Kind kind) const {
  const Queue& queue = queues_[kind];
  if (queue.empty()) return kNever;
  const auto shares = [](const auto& work) { return !work->stream->fails; };
  const auto sharing = static_cast<size_t>(std::count_if(queue.begin(), queue.end(), shares));
  if (!shares(queue.front()) || sharing >= most_) return 0;
  uint64_t until = kNever;
  for (const auto& work : queue) {
    until = std::min(until, Later(work->submitted_ns, work->request.batch_timeout_ns));
    if (!work->IsLive()) continue;
    const uint64_t deadline = work->request.deadline_ns;
    until = std::min(until, deadline - std::min(deadline, TimeOf(kind)));
  }
  return until;
}

// When a free worker may begin an offline drawing, as far as is known now.
uint64_t Scheduler::OfflineAllowedAt(uint64_t now_ns) const {
  if (threads_ - drawing_ > 1) return now_ns;  // another is free for live frames
  if (!queues_[kLive].empty()) return BatchReadyAt(kLive);
  std::vector<uint64_t> dues;
  uint64_t first_expiry = kNever;
  for (const Stream* stream : live_) {
    if (!stream->pace.IsExpected(now_ns)) continue;
    dues.push_back(stream->pace.NextDue());
    first_expiry = std::min(first_expiry, stream->pace.Expires());
  }
  std::sort(dues.begin(), dues.end());
  const uint64_t begin = now_ns + TimeOf(kOffline);
  for (size_t i = 0; i < dues.size(); ++i) {
    if (begin + (i / most_ + 1) * TimeOf(kLive) > dues[i]) return first_expiry;
  }
  return now_ns;
}

Scheduler::Batch Scheduler::TakeBatch(Kind kind) {
  Queue& queue = queues_[kind];
  Batch batch;
  for (auto place = queue.begin(); place != queue.end() && batch.size() < most_;) {
    const std::shared_ptr<Work>& work = *place;
    if (work->stream->fails && !batch.empty()) {
      ++place;
      continue;
    }
    work->phase = Phase::kDrawing;
    batch.push_back(work);
    place = queue.erase(place);
    if (batch.front()->stream->fails) break;
  }
  if (kind == kOffline) {
    turn_ = batch.back()->turn;
    passed_over_ = 0;
  } else if (!queues_[kOffline].empty()) {
    ++passed_over_;
  }
  ++drawing_;
  return batch;
}

// Without mutex_: draws a batch; if it fails, each frame alone, so that one stream cannot harm
// another.
void Scheduler::Draw(const Batch& batch, Kind kind) {
  const uint64_t begin = clock_.Now();
  std::vector<RenderItem> items;
  for (const auto& work : batch) items.push_back(work->request.item);
  std::vector<Status> results(batch.size());
  const Status whole = Guard("render", [&] { family_.Render(items); });
  const uint64_t drawing_ns = clock_.Now() - begin;
  if (!whole.ok()) {
    for (size_t i = 0; i < batch.size(); ++i) {
      results[i] = batch.size() == 1 ? whole : Guard("render", [&] { family_.Render({items[i]}); });
    }
  }
  items.clear();
  const uint64_t each = (clock_.Now() - begin) / batch.size();
  std::lock_guard<std::mutex> lock(mutex_);
  --drawing_;
  if (whole.ok()) drawing_time_[kind].Add(drawing_ns);
  ++stats_.batches;
  stats_.batch_max = std::max<uint64_t>(stats_.batch_max, batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    stats_.render_ns_sum += each;
    stats_.render_ns_max = std::max(stats_.render_ns_max, each);
    batch[i]->stream->fails = !results[i].ok();
    Finish(batch[i], results[i]);
  }
}

void Scheduler::Finish(const std::shared_ptr<Work>& work, const Status& status) {
  work->phase = Phase::kDone;
  --work->stream->unfinished;
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

// The client's stream of that number. Of its others, those go that are over: what is known of them
// would change nothing any more.
Scheduler::Stream* Scheduler::StreamOf(Client* client, uint64_t id, uint64_t now_ns) {
  auto& streams = client->streams_;
  for (auto place = streams.begin(); place != streams.end();) {
    const Stream& other = place->second;
    const bool over = place->first != id && other.unfinished == 0 && other.last_turn <= turn_ &&
                      !other.pace.IsExpected(now_ns);
    if (over) live_.erase(&other);
    place = over ? streams.erase(place) : std::next(place);
  }
  return &streams[id];
}

void Scheduler::Enqueue(const std::shared_ptr<Work>& work) {
  Stream& stream = *StreamOf(work->client, work->request.item.stream_id, work->submitted_ns);
  work->stream = &stream;
  ++stream.unfinished;
  if (work->IsLive()) {
    stream.pace.Add(work->submitted_ns, work->request.deadline_ns);
    live_.insert(&stream);
  } else {
    work->turn = stream.last_turn = std::max(turn_, stream.last_turn) + 1;
    if (queues_[kOffline].empty()) passed_over_ = 0;
  }
  Queue& queue = queues_[work->IsLive() ? kLive : kOffline];
  auto place = queue.end();
  while (place != queue.begin() && (*std::prev(place))->Order() > work->Order()) --place;
  queue.insert(place, work);
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
    scheduler_.Enqueue(work);
  }
  scheduler_.changed_.notify_one();
  return ticket;
}

Status Scheduler::Client::Wait(uint64_t ticket, uint64_t timeout_ns) {
  std::unique_lock<std::mutex> lock(scheduler_.mutex_);
  const auto found = works_.find(ticket);
  if (found == works_.end()) return MakeStatus(Code::kCancelled, "Cancelled.");
  const std::shared_ptr<Work> work = found->second;
  Clock& clock = scheduler_.clock_;
  const uint64_t until = Later(clock.Now(), timeout_ns);
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
      scheduler_.queues_[work->IsLive() ? kLive : kOffline].remove(work);
      scheduler_.Finish(work, Status{});
    }
  }
  // What comes after is a new beginning; and offline frames need not be held back for its streams.
  for (auto& [id, stream] : streams_) {
    scheduler_.live_.erase(&stream);
    stream.pace = Pace{};
    stream.last_turn = 0;
  }
  scheduler_.changed_.notify_all();
  done_.wait(lock, [this] {
    return std::all_of(works_.begin(), works_.end(),
                       [](const auto& entry) { return entry.second->phase == Phase::kDone; });
  });
  works_.clear();
}

}  // namespace talkface
