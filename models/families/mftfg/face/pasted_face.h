// SPDX-License-Identifier: MIT
// mftfg's mouth: a generated face pasted into the portrait, which then moves as any portrait does.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "models/families/mftfg/face/identity.h"
#include "models/portrait/mouth_layer.h"

namespace talkface::mftfg {

// What a frame shows of a generated picture: [1, 3, R, R] in 0..1 by the share `shown`, the
// portrait as it is by the rest.
struct Generated {
  torch::Tensor picture;  // undefined: the portrait alone
  float shown = 0;
};

struct PastedMotion : portrait::MouthMotion {
  Generated face;
  const portrait::Patch* painted = nullptr;  // pasted by somebody else already
};

// Where a generated picture goes in the frame.
struct FacePlace {
  imaging::Rect area;    // the frame's pixels that it reaches, h x w
  torch::Tensor places;  // [1, h, w, 2] float32: where in the picture each of them is, -1..1
  torch::Tensor shares;  // [h, w] float32 on the CPU: how much of it is the picture
};

// Its motions are PastedMotion. The identity outlives it.
class PastedFace : public portrait::MouthLayer {
 public:
  PastedFace(const EnrolledIdentity& identity, const portrait::MouthSite& site);

  // Its area is empty where the face is too small to be generated.
  const FacePlace& place() const { return place_; }
  const portrait::Patch* Repaint(const portrait::MouthMotion& motion, const portrait::Patch& own,
                                 portrait::Patch* scratch) const override;

 private:
  const EnrolledIdentity& identity_;
  FacePlace place_;
};

}  // namespace talkface::mftfg
