// SPDX-License-Identifier: MIT
// Frames with a generated face, composed where the face is (compose_pixels.h): a scene's constant
// parts in a device's memory, and the jobs that draw its frames.
#pragma once

#include <torch/torch.h>

#include "models/families/mftfg/face/pasted_face.h"
#include "models/imaging/compose_pixels.h"
#include "models/portrait/portrait_scene.h"

namespace talkface::mftfg {

// Immutable; of one scene, which outlives it.
class FrameCompositor {
 public:
  FrameCompositor(const portrait::PortraitScene& moving, const FacePlace& face,
                  torch::Device device);

  // A frame on its way: queued, copied back, finished by the CPU.
  struct Frame {
    imaging::ComposeJob job;
    torch::Tensor memory;  // of the device, what the job writes
    torch::Tensor nodes;   // the job's grid
    torch::Tensor result;  // of the device: what the CPU needs of it
    bool whole = false;    // is that the frame's moving part, or the pasted pixels only?
  };
  // The job that shows `picture`, [3, R, R] on the device, contiguous, by the share `shown`. It is
  // to be run on the current stream.
  Frame Begin(const torch::Tensor& picture, float shown, uint64_t time_ns) const;
  // Draws a frame out of the result's bytes in host memory.
  void Finish(const Frame& frame, const uint8_t* result, uint64_t time_ns,
              const FrameTarget& target) const;

 private:
  void CopyOut(const uint8_t* drawn, const FrameTarget& target) const;

  const portrait::PortraitScene& moving_;  // the scene's portrait
  const torch::Device device_;
  imaging::ComposeScene scene_;
  torch::Tensor portrait_, frame_, places_, shares_;  // what scene_ points to
};

// The CPU's way to run a job whose pointers are to host memory.
void RunCompose(const imaging::ComposeJob& job);

}  // namespace talkface::mftfg
