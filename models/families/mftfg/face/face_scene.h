// SPDX-License-Identifier: MIT
// An enrolled portrait in one output format: the noise that its frames start from, and where a
// generated face goes in the frame.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <mutex>

#include "models/families/mftfg/face/frame_compositor.h"
#include "models/families/mftfg/face/identity.h"
#include "models/families/mftfg/face/pasted_face.h"
#include "models/portrait/portrait_scene.h"

namespace talkface::mftfg {

// Of SceneSettings::family_options: the sampler's steps, 1 to kMostFastSteps.
constexpr const char* kStepsOption = "sampler-steps";

// Immutable; frames may be drawn by many threads at once.
class FaceScene : public SceneModel {
 public:
  // Throws Error{kInvalid} for a frame that cannot be made or a number of steps that the sampler
  // cannot take.
  FaceScene(std::shared_ptr<const EnrolledIdentity> identity, const SceneSettings& settings,
            const Config& config);

  const EnrolledIdentity& identity() const { return *identity_; }
  int64_t steps() const { return steps_; }
  // The same for all frames, so that nothing flickers: [1, Z, L, L]; step k of the sampler mixes
  // renoise(k) into what it keeps.
  const torch::Tensor& start() const { return start_; }
  torch::Tensor renoise(int64_t step) const { return renoise_.narrow(0, step, 1); }
  // Is the face large enough to be generated?
  bool generates() const { return face_ != nullptr && !face_->place().area.Empty(); }

  // Draws the whole frame at a media time. The same arguments give the same bytes on every thread.
  void Draw(const Generated& face, uint64_t time_ns, const FrameTarget& target) const;

  // What draws its frames on the model's device; made by the first call, on the current stream.
  const FrameCompositor& compositor() const;

 private:
  const std::shared_ptr<const EnrolledIdentity> identity_;
  const PastedFace* face_ = nullptr;  // portrait_'s; null for a face too small to move
  const portrait::PortraitScene portrait_;
  int64_t steps_;
  torch::Tensor start_, renoise_;  // [1, Z, L, L], [S, Z, L, L]
  mutable std::once_flag compositor_made_;
  mutable std::unique_ptr<const FrameCompositor> compositor_;
};

}  // namespace talkface::mftfg
