// SPDX-License-Identifier: MIT
// Links where libtorch's headers and libraries for CUDA are there, and CUDA's headers are of the
// major version CUDA_MAJOR.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>

static_assert(CUDART_VERSION / 1000 == CUDA_MAJOR, "the headers are not of libtorch's version");

int main() {
  const at::cuda::CUDAGraph graph;
  c10::cuda::CUDACachingAllocator::emptyCache();
  return cudaGetLastError() == cudaSuccess ? 0 : 1;
}
