// SPDX-License-Identifier: MIT
#include "models/torch/cuda/compose_kernels.h"

namespace talkface::nets {
namespace {

using Pass = void (*)(const imaging::ComposeJob& job, int x, int y);

// One thread a pixel of `area`.
template <Pass pass>
__global__ void OverPixels(imaging::ComposeJob job, imaging::Rect area) {
  const int x = area.x0 + static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int y = area.y0 + static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);
  if (x < area.x1 && y < area.y1) pass(job, x, y);
}

template <Pass pass>
cudaError_t Launch(const imaging::ComposeJob& job, const imaging::Rect& area, cudaStream_t stream) {
  const dim3 block(32, 8);
  const dim3 blocks((static_cast<unsigned>(Width(area)) + block.x - 1) / block.x,
                    (static_cast<unsigned>(Height(area)) + block.y - 1) / block.y);
  OverPixels<pass><<<blocks, block, 0, stream>>>(job, area);
  return cudaGetLastError();
}

}  // namespace

cudaError_t LaunchCompose(const imaging::ComposeJob& job, cudaStream_t stream) {
  const imaging::ComposeScene& scene = job.scene;
  const int width = Width(scene.portrait.area), height = Height(scene.portrait.area);
  cudaError_t error = Launch<imaging::PastePixel>(job, {0, 0, width + 1, height + 1}, stream);
  if (error == cudaSuccess && scene.doubled)
    error = Launch<imaging::DoublePixel>(job, {0, 0, 2 * width, 2 * height}, stream);
  if (error == cudaSuccess) error = Launch<imaging::MovePixel>(job, scene.source, stream);
  if (error == cudaSuccess) error = Launch<imaging::WritePixel>(job, scene.drawn, stream);
  return error;
}

}  // namespace talkface::nets
