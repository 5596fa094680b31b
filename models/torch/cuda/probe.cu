// SPDX-License-Identifier: MIT
// Compiles where nvcc is of the major version CUDA_MAJOR, and its host compiler and headers are
// such as it takes.
#include <cuda_runtime.h>

static_assert(__CUDACC_VER_MAJOR__ == CUDA_MAJOR, "nvcc is not of libtorch's major version");
static_assert(CUDART_VERSION / 1000 == CUDA_MAJOR, "the headers are not of libtorch's version");

__global__ void Probe(int* value) { *value = static_cast<int>(threadIdx.x); }

cudaError_t LaunchProbe(int* value) {
  Probe<<<1, 1>>>(value);
  return cudaGetLastError();
}
