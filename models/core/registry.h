// SPDX-License-Identifier: MIT
// The process's engines: one of each key, loaded once, shared by all that ask for it.
//
// Each engine is loaded by a thread of its own, while whoever asked for it waits and is told of the
// progress on its own thread. So no lock is held while a caller is told, and a caller that opens
// another engine there, or the same, waits for a load that needs nothing of it. One engine is
// loaded at a time, since libtorch's settings are the process's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "models/engine.h"

namespace talkface {

// Pack folder, device ("cpu" or "cuda:N"), precision, memory limit.
using EngineKey = std::tuple<std::string, std::string, Precision, uint64_t>;

// Every call from any thread.
class Registry {
 public:
  using Progress = std::function<void(int percent, const char* what)>;
  // Returns an engine with one reference, or throws. Reports on the thread it is called on.
  using Load = std::function<Engine*(const Progress& progress)>;

  // This process's. Never destroyed, so that it outlives every engine at exit.
  static Registry& OfProcess();

  // The engine of that key, with a reference for the caller. If there is none, `load` makes it, on
  // another thread; whoever asks for it meanwhile waits for the same. `progress` is called on this
  // thread, with what has been reported since the loading began. Throws Error where loading fails,
  // in all who waited for it; the next to ask tries again.
  Engine* Open(const EngineKey& key, const Load& load, const Progress& progress);

  // Takes one from an engine's `references`. True: that was the last, and the engine is not handed
  // out any more.
  bool Release(const EngineKey& key, std::atomic<int>* references);

 private:
  struct Loading;
  void Run(const EngineKey& key, const Load& load, Loading* loading);
  void WaitFor(Loading* loading, const Progress& progress);

  std::mutex loading_mutex_;  // held by the one thread that loads; taken before mutex_
  std::mutex mutex_;
  // Both guarded by mutex_, and never with the same key.
  std::map<EngineKey, Engine*> engines_;  // not owning: Release takes them out
  std::map<EngineKey, std::shared_ptr<Loading>> loadings_;
};

}  // namespace talkface
