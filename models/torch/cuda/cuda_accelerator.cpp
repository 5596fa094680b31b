// SPDX-License-Identifier: MIT
// libtalkface-cuda.so: the accelerator that OpenCudaAccelerator opens.
#include <ATen/Context.h>
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>

#include "models/core/error.h"
#include "models/torch/accelerator.h"
#include "models/torch/cuda/compose_kernels.h"

namespace talkface::nets {
namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

void Check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw Error(Code::kFailed, std::string("CUDA cannot ") + what + ": " + cudaGetErrorString(error));
}

// The limits of the accelerators that are open. libtorch knows one for each device.
class MemoryLimits {
 public:
  void Add(int device, uint64_t bytes) {
    if (bytes == 0) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    limits_[device].insert(bytes);
    Apply(device);
  }
  void Remove(int device, uint64_t bytes) {
    if (bytes == 0) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    limits_[device].erase(limits_[device].find(bytes));
    Apply(device);
  }

 private:
  void Apply(int device) {
    cudaDeviceProp facts{};
    Check(cudaGetDeviceProperties(&facts, device), "tell the device's memory");
    const double whole = static_cast<double>(facts.totalGlobalMem);
    const std::multiset<uint64_t>& limits = limits_[device];
    const double bytes = limits.empty() ? whole : static_cast<double>(*limits.begin());
    allocator::setMemoryFraction(std::min(1.0, bytes / whole),
                                 static_cast<c10::DeviceIndex>(device));
  }

  std::mutex mutex_;
  std::map<int, std::multiset<uint64_t>> limits_;  // guarded by mutex_
};

// Never destroyed: accelerators may outlive this library's statics.
MemoryLimits& TheLimits() {
  static MemoryLimits* limits = new MemoryLimits;
  return *limits;
}

struct RecordedGraph : public Recorded {
  void Replay() override { graph.replay(); }
  // Libtorch never uses a pool again whose last recording has gone, so recordings hold it.
  std::shared_ptr<const at::cuda::MempoolId_t> pool;
  at::cuda::CUDAGraph graph;
};

class CudaAccelerator : public Accelerator {
 public:
  CudaAccelerator(int index, uint64_t memory_limit) : index_(index), memory_limit_(memory_limit) {
    TheLimits().Add(index, memory_limit);
  }
  ~CudaAccelerator() override { TheLimits().Remove(index_, memory_limit_); }

  std::string Describe() const override;
  std::unique_ptr<Recorded> Record(const std::function<void()>& work, int pool) override;

  void Compose(const imaging::ComposeJob& job) override {
    const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(index_));
    Check(LaunchCompose(job, c10::cuda::getCurrentCUDAStream().stream()), "compose a frame");
  }

 private:
  void Abandon(at::cuda::CUDAGraph* graph, const at::cuda::MempoolId_t& pool) noexcept;

  const int index_;
  const uint64_t memory_limit_;
  std::array<std::weak_ptr<const at::cuda::MempoolId_t>, kRecordPools> pools_;  // while recording
};

std::string CudaAccelerator::Describe() const {
  cudaDeviceProp facts{};
  int driver = 0, runtime = 0;
  Check(cudaGetDeviceProperties(&facts, index_), "describe the device");
  Check(cudaDriverGetVersion(&driver), "tell the driver's version");
  Check(cudaRuntimeGetVersion(&runtime), "tell the runtime's version");
  const auto dotted = [](int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  };
  return std::string(facts.name) + ", " + std::to_string(facts.multiProcessorCount) +
         " multiprocessors, " + std::to_string(facts.totalGlobalMem >> 20) + " MiB, CUDA " +
         dotted(runtime) + ", driver for " + dotted(driver);
}

std::unique_ptr<Recorded> CudaAccelerator::Record(const std::function<void()>& work, int pool) {
  // One at a time: libtorch asks of every recording under way whose memory is being taken.
  static std::mutex* recording = new std::mutex;
  const std::lock_guard<std::mutex> lock(*recording);
  const auto stream = c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(index_));
  work();  // libraries choose their kernels and take their memory, which cannot be recorded
  stream.synchronize();
  auto recorded = std::make_unique<RecordedGraph>();
  std::weak_ptr<const at::cuda::MempoolId_t>& shared = pools_[static_cast<size_t>(pool)];
  recorded->pool = shared.lock();
  if (!recorded->pool) {
    recorded->pool = std::make_shared<const at::cuda::MempoolId_t>(at::cuda::graph_pool_handle());
    shared = recorded->pool;
  }
  try {
    // Of this thread alone: others go on allocating.
    recorded->graph.capture_begin(*recorded->pool, cudaStreamCaptureModeThreadLocal);
    work();
    recorded->graph.capture_end();
  } catch (...) {
    Abandon(&recorded->graph, *recorded->pool);
    shared.reset();
    throw;
  }
  return recorded;
}

// Leaves the stream and libtorch's allocators as they were before a recording that failed.
void CudaAccelerator::Abandon(at::cuda::CUDAGraph* graph,
                              const at::cuda::MempoolId_t& pool) noexcept {
  const auto device = static_cast<c10::DeviceIndex>(index_);
  const auto stream = c10::cuda::getCurrentCUDAStream(device);
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  if (cudaStreamIsCapturing(stream.stream(), &status) == cudaSuccess &&
      status != cudaStreamCaptureStatusNone) {
    cudaGraph_t broken = nullptr;
    if (cudaStreamEndCapture(stream.stream(), &broken) == cudaSuccess && broken != nullptr)
      cudaGraphDestroy(broken);
  }
  cudaGetLastError();  // forget it
  try {
    // Throws where the recording itself had ended; then it is the graph that lets go of the pool.
    allocator::endAllocateToPool(device, pool);
    allocator::releasePool(device, pool);
    at::HostAllocator* host = at::getHostAllocator(at::kCUDA);
    host->end_allocate_to_pool(pool);
    host->release_pool(pool);
  } catch (const std::exception&) {
  }
  try {
    graph->reset();
  } catch (const std::exception&) {
    // Nothing of it is used again.
  }
}

}  // namespace
}  // namespace talkface::nets

extern "C" __attribute__((visibility("default"))) talkface::Status talkface_cuda_open(
    uint32_t abi, int index, uint64_t memory_limit, talkface::nets::Accelerator** out) noexcept {
  return talkface::Guard("cuda open", [&] {
    if (abi != talkface::kEngineAbi) {
      throw talkface::Error(talkface::Code::kUnsupported,
                            "libtalkface-cuda.so is of another release than the engine.");
    }
    at::globalContext().lazyInitDevice(at::kCUDA);
    *out = new talkface::nets::CudaAccelerator(index, memory_limit);
  });
}
