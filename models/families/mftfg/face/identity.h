// SPDX-License-Identifier: MIT
// A portrait with all that the model makes of it alone, computed once.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "models/families/mftfg/model/model.h"
#include "models/imaging/alignment.h"
#include "models/portrait/face_enrolment.h"
#include "models/torch/seam_match.h"

namespace talkface::mftfg {

// Immutable. Tensors are on the model's device, R wide and high.
class EnrolledIdentity : public FaceModel {
 public:
  std::shared_ptr<const portrait::EnrolledFace> portrait;
  imaging::Affine
      to_crop{};  // the portrait's pixels to the 224-pixel picture that the crop is made of
  imaging::Landmarks outline;  // of what is generated: a polygon in the portrait's pixels
  FaceLatents latents;
  torch::Tensor landmarks;  // features [1, 1, 64]
  torch::Tensor inside;     // [1, 1, R, R]: 0 outside of the polygon, rising to 1 within
  nets::Seam seam;          // the crop, along the polygon's edge
};

// `mean_shape` as AlignFace wants it. Throws Error{kNoFace} for landmarks that are no face.
std::shared_ptr<const EnrolledIdentity> EnrolIdentity(Model model,
                                                      const imaging::Landmarks& mean_shape,
                                                      const Pixels& portrait, const FaceInfo& info);

}  // namespace talkface::mftfg
