// SPDX-License-Identifier: MIT
// What nvcc compiles of the CUDA part, as the rest of it sees it: no libtorch here.
#pragma once

#include <cuda_runtime_api.h>

#include "models/imaging/compose_pixels.h"

namespace talkface::nets {

// Queues the passes of a job whose pointers are to the current device's memory.
cudaError_t LaunchCompose(const imaging::ComposeJob& job, cudaStream_t stream);

}  // namespace talkface::nets
