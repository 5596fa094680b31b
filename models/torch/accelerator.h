// SPDX-License-Identifier: MIT
// What an accelerator does for the family that libtorch's device-neutral interface does not have.
// CUDA's is a library of its own, libtalkface-cuda.so (cuda/), which is opened when a CUDA device
// is asked for: the engine itself is linked with nothing of CUDA.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "models/engine.h"

namespace talkface::imaging {
struct ComposeJob;
}

namespace talkface::nets {

// Work of a device, to be done again and again.
class Recorded {
 public:
  virtual ~Recorded() = default;
  // On the current stream, in the memory that was used when it was recorded.
  virtual void Replay() = 0;
};

// Calls may come from any thread; work goes to that thread's current stream.
class Accelerator {
 public:
  virtual ~Accelerator() = default;
  // "NVIDIA H200, 139 GiB, driver 13.0": for people.
  virtual std::string Describe() const = 0;
  // Runs `work`, and records what it does when it is run a second time, without doing it. Memory of
  // the recordings of one pool is shared: they must never run at the same time. Throws where `work`
  // does, or does what cannot be recorded.
  virtual std::unique_ptr<Recorded> Record(const std::function<void()>& work, int pool) = 0;
  // Queues a job (compose_pixels.h).
  virtual void Compose(const imaging::ComposeJob& job) = 0;
};

constexpr int kRecordPools = 2;

// The accelerator of CUDA device `index`. Not more than `memory_limit` bytes of it are used by
// libtorch in this process (0: no limit; of several limits the smallest counts while its
// accelerator lives). Throws Error{kUnsupported} where it cannot be had.
std::unique_ptr<Accelerator> OpenCudaAccelerator(int index, uint64_t memory_limit);

// The library's one function, "talkface_cuda_open"; `abi` is kEngineAbi of the caller.
using OpenCudaFunction = Status (*)(uint32_t abi, int index, uint64_t memory_limit,
                                    Accelerator** out) noexcept;

}  // namespace talkface::nets
