// SPDX-License-Identifier: MIT
// The engine's workers: frames of all streams wait in one queue, the most urgent first, and are
// drawn in batches.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "models/core/clock.h"
#include "models/core/family.h"

namespace talkface {

// Owns the worker threads of one engine. They are joined by the destructor.
class Scheduler {
 public:
  struct Request {
    RenderItem item;
    uint64_t deadline_ns = 0;  // 0: none
    uint64_t batch_timeout_ns = 0;
  };

  // One stream's frames. Submit, Wait and Cancel may be called from any thread.
  class Client {
   public:
    explicit Client(Scheduler& scheduler) : scheduler_(scheduler) {}
    ~Client() { Cancel(); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    uint64_t Submit(Request request);
    Status Wait(uint64_t ticket, uint64_t timeout_ns);
    void Cancel();

   private:
    friend class Scheduler;
    Scheduler& scheduler_;
    std::condition_variable done_;                            // with scheduler_.mutex_
    std::map<uint64_t, std::shared_ptr<struct Work>> works_;  // guarded by scheduler_.mutex_
  };

  // `clock` outlives it, and is what deadlines are of.
  Scheduler(Family& family, unsigned threads, Clock& clock = SteadyClock());
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  Stats GetStats() const;

 private:
  using Batch = std::vector<std::shared_ptr<Work>>;
  void Run();
  Batch TakeBatch(std::unique_lock<std::mutex>& lock);
  void Draw(const Batch& batch);
  void Finish(const std::shared_ptr<Work>& work, const Status& status);  // mutex_ held

  Family& family_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable queued_;          // with mutex_: the queue grew, or stopping_
  std::list<std::shared_ptr<Work>> queue_;  // guarded by mutex_; most urgent first
  bool stopping_ = false;                   // guarded by mutex_
  uint64_t last_ticket_ = 0;                // guarded by mutex_
  Stats stats_{};                           // guarded by mutex_
  std::vector<std::thread> workers_;
};

}  // namespace talkface
