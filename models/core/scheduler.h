// SPDX-License-Identifier: MIT
// The engine's workers: frames of all streams wait here, and are drawn in batches.
//
// Who is next. A frame with a deadline is live, any other is offline. Live frames come first, that
// one foremost which must be begun first: at its deadline less the time a drawing takes. Offline
// frames fill what is left, in turn by stream, however many frames one of them has submitted. A
// batch holds live frames or offline ones, never both, so that no live frame waits for the drawing
// of an offline one in its batch.
//
// What is left. A drawing cannot be interrupted, so the last free worker begins an offline one only
// if, after it, the next frame of every live stream (pace.h foresees it) can still be drawn in
// time.
//
// Nobody starves. After kMostPassedOver drawings of live frames, while an offline frame waited, the
// next drawing is an offline one. So live streams that ask for more than the workers can do lose
// frames (those whose deadline has passed are not drawn), and offline work goes on slowly. Live
// streams that leave the workers less time than one drawing in kMostPassedOver may find one frame
// in as many late.
//
// Nobody harms others. A frame that fails is drawn again alone, and its stream shares no batch
// until one of its frames succeeds. A batch is not kept waiting for more frames beyond the moment
// at which one of its own must be begun. A stream whose next frame does not come when it should is
// waited for no longer than the time of one frame.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "models/core/clock.h"
#include "models/core/family.h"
#include "models/core/pace.h"

namespace talkface {

// Owns the worker threads of one engine. They are joined by the destructor.
class Scheduler {
 public:
  static constexpr unsigned kMostPassedOver = 32;

  struct Request {
    RenderItem item;
    uint64_t deadline_ns = 0;       // on the scheduler's clock; 0: none, the frame is offline
    uint64_t batch_timeout_ns = 0;  // longest wait for frames of other streams
  };

  // What is known of one stream. Guarded by the scheduler's mutex_.
  struct Stream {
    Pace pace;
    uint64_t last_turn = 0;  // of its offline frames
    bool fails = false;      // its last frame did
    size_t unfinished = 0;   // its frames that wait or are being drawn
  };

  // The frames of one stream, or of several that RenderItem::stream_id tells apart. Submit, Wait
  // and Cancel may be called from any thread.
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
    std::condition_variable done_;  // with scheduler_.mutex_
    // All of these guarded by scheduler_.mutex_.
    std::map<uint64_t, std::shared_ptr<struct Work>> works_;
    std::map<uint64_t, Stream>
        streams_;  // by stream_id; those that are over go with others' frames
  };

  // `clock` outlives it.
  Scheduler(Family& family, unsigned threads, Clock& clock = SteadyClock());
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  Stats GetStats() const;

 private:
  enum Kind { kLive, kOffline };
  using Queue = std::list<std::shared_ptr<Work>>;
  using Batch = std::vector<std::shared_ptr<Work>>;
  // What a free worker does: draw frames of a kind now, or look again at `until_ns`.
  struct Plan {
    bool draw;
    Kind kind;
    uint64_t until_ns;
  };

  void Run();
  void Draw(const Batch& batch, Kind kind);
  // With mutex_ held, all of these.
  Plan NextPlan(uint64_t now_ns);
  void DropLate(uint64_t now_ns);
  uint64_t TimeOf(Kind kind) const;
  uint64_t BatchReadyAt(Kind kind) const;
  uint64_t OfflineAllowedAt(uint64_t now_ns) const;
  Batch TakeBatch(Kind kind);
  void Enqueue(const std::shared_ptr<Work>& work);
  Stream* StreamOf(Client* client, uint64_t id, uint64_t now_ns);
  void Finish(const std::shared_ptr<Work>& work, const Status& status);

  Family& family_;
  Clock& clock_;
  const unsigned threads_;
  const size_t most_;  // frames in a batch
  mutable std::mutex mutex_;
  std::condition_variable changed_;  // with mutex_: a queue changed, or stopping_
  // All of these guarded by mutex_.
  Queue queues_[2];               // by Kind; the next frame is in front
  std::set<const Stream*> live_;  // whose pace is known
  DrawingTime drawing_time_[2];   // by Kind
  unsigned drawing_ = 0;          // workers that draw
  unsigned passed_over_ = 0;      // drawings of live frames begun while an offline one waited
  uint64_t turn_ = 0;             // of the offline frame that was begun last
  bool stopping_ = false;
  uint64_t last_ticket_ = 0;
  Stats stats_{};
  std::vector<std::thread> workers_;  // of the constructor and destructor
};

}  // namespace talkface
