// SPDX-License-Identifier: MIT
#include "models/core/registry.h"

#include <future>
#include <utility>
#include <vector>

#include "models/core/error.h"

namespace talkface {

// A load that goes on, or has ended and is being handed out.
struct Registry::Loading {
  Loading() = default;
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;
  // The last who waited has a reference of its own by now.
  ~Loading() {
    if (engine != nullptr) engine->Unref();
  }

  struct Step {
    int percent;
    std::string what;
  };
  std::condition_variable changed;  // with the registry's mutex_
  // All of these guarded by the registry's mutex_ until `ended`, and constant from then on.
  std::vector<Step> steps;
  bool ended = false;
  Status status;
  Engine* engine = nullptr;  // with a reference of ours, so that it stays until all have it
};

Registry& Registry::OfProcess() {
  static Registry* const registry = new Registry;
  return *registry;
}

Engine* Registry::Open(const EngineKey& key, const Load& load, const Progress& progress) {
  std::shared_ptr<Loading> loading;
  std::future<void> thread;  // joined where it goes: before all that the thread uses
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto engine = engines_.find(key);
    if (engine != engines_.end()) {
      engine->second->Ref();
      return engine->second;
    }
    const auto found = loadings_.find(key);
    if (found != loadings_.end()) {
      loading = found->second;
    } else {
      loading = std::make_shared<Loading>();
      thread = std::async(std::launch::async,
                          [this, &key, &load, entry = loading.get()] { Run(key, load, entry); });
      loadings_[key] = loading;
    }
  }
  WaitFor(loading.get(), progress);
  if (!loading->status.ok()) {
    throw Error(loading->status.code, loading->status.message, loading->status.detail);
  }
  loading->engine->Ref();
  return loading->engine;
}

// On the loading thread.
void Registry::Run(const EngineKey& key, const Load& load, Loading* loading) {
  const Progress report = [&](int percent, const char* what) {
    std::lock_guard<std::mutex> lock(mutex_);
    loading->steps.push_back({percent, what});
    loading->changed.notify_all();
  };
  Engine* engine = nullptr;
  Status status;
  {
    std::lock_guard<std::mutex> one_at_a_time(loading_mutex_);
    status = Guard("engine open", [&] { engine = load(report); });
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (engine != nullptr) engines_[key] = engine;
  loading->engine = engine;
  loading->status = status;
  loading->ended = true;
  loading->changed.notify_all();
  loadings_.erase(key);
}

void Registry::WaitFor(Loading* loading, const Progress& progress) {
  std::unique_lock<std::mutex> lock(mutex_);
  size_t told = 0;
  for (;;) {
    loading->changed.wait(lock, [&] { return loading->ended || told < loading->steps.size(); });
    if (told == loading->steps.size()) return;
    const Loading::Step step = loading->steps[told++];
    lock.unlock();
    progress(step.percent, step.what.c_str());
    lock.lock();
  }
}

bool Registry::Release(const EngineKey& key, std::atomic<int>* references) {
  // The lock keeps Open from handing out an engine whose last reference is going.
  std::lock_guard<std::mutex> lock(mutex_);
  if (--*references > 0) return false;
  engines_.erase(key);
  return true;
}

}  // namespace talkface
