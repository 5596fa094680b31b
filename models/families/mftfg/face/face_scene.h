// SPDX-License-Identifier: MIT
// An enrolled portrait in one output format: the noise that its frames start from, and where a
// generated face goes in the frame.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <mutex>

#include "models/families/mftfg/face/frame_compositor.h"
#include "models/families/mftfg/face/identity.h"
#include "models/portrait/scene.h"

namespace talkface::mftfg {

// Immutable; frames may be drawn by many threads at once.
class FaceScene : public SceneModel {
 public:
  // Throws Error{kInvalid} for a frame that cannot be made or a number of steps that the sampler
  // cannot take.
  FaceScene(std::shared_ptr<const EnrolledIdentity> identity, const SceneOptions& options,
            const Config& config);

  const EnrolledIdentity& identity() const { return *identity_; }
  int64_t steps() const { return steps_; }
  // The same for all frames, so that nothing flickers: [1, Z, L, L]; step k of the sampler mixes
  // renoise(k) into what it keeps.
  const torch::Tensor& start() const { return start_; }
  torch::Tensor renoise(int64_t step) const { return renoise_.narrow(0, step, 1); }
  // Is the face large enough to be generated?
  bool generates() const { return !area_.Empty(); }

  // What a generated picture is shown as: `picture` [1, 3, R, R] in 0..1 by the share `shown`, the
  // portrait as it is by the rest.
  struct Generated {
    torch::Tensor picture;  // undefined: the portrait alone
    float shown = 0;
  };
  // Draws the whole frame at a media time. The same arguments give the same bytes on every thread.
  void Draw(const Generated& face, uint64_t time_ns, const FrameTarget& target) const;

  // What draws its frames on the model's device; made by the first call, on the current stream.
  const FrameCompositor& compositor() const;

 private:
  void FindArea(const SceneOptions& options);
  auwarp::Patch Paste(const Generated& face) const;

  const std::shared_ptr<const EnrolledIdentity> identity_;
  const auwarp::WarpScene warp_;
  int64_t steps_;
  torch::Tensor start_, renoise_;  // [1, Z, L, L], [S, Z, L, L]
  compose::Rect area_;             // the frame's pixels that a generated face reaches, h x w
  torch::Tensor grid_;             // [1, h, w, 2]: where in the picture each of them is, -1..1
  torch::Tensor share_;            // [h, w] on the CPU: how much of it is the generated face
  mutable std::once_flag compositor_made_;
  mutable std::unique_ptr<const FrameCompositor> compositor_;
};

}  // namespace talkface::mftfg
