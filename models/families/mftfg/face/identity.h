// SPDX-License-Identifier: MIT
// A portrait with all that the model makes of it alone, computed once.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "models/families/mftfg/model/model.h"
#include "models/imaging/alignment.h"
#include "models/portrait/face_enrolment.h"

namespace talkface::mftfg {

// Immutable. Tensors are on the model's device, R wide and high.
class EnrolledIdentity : public FaceModel {
 public:
  std::shared_ptr<const auwarp::EnrolledFace> portrait;
  Affine to_crop{};   // the portrait's pixels to the 224-pixel picture that the crop is made of
  Landmarks outline;  // of what is generated: a polygon in the portrait's pixels
  FaceLatents latents;
  torch::Tensor landmarks;  // features [1, 1, 64]
  torch::Tensor reference;  // the crop [1, 3, R, R], 0..1
  torch::Tensor inside;     // [1, 1, R, R]: 0 outside of the polygon, rising to 1 within
  torch::Tensor seam;       // [1, 1, R, R]: 1 on the polygon's edge, falling to 0 on both sides
  torch::Tensor reach;      // [1, 1, R, R]: the seam spread as far as colours are matched
};

// `mean_shape` as AlignFace wants it. Throws Error{kNoFace} for landmarks that are no face.
std::shared_ptr<const EnrolledIdentity> EnrolIdentity(Model model, const Landmarks& mean_shape,
                                                      const Pixels& portrait, const FaceInfo& info);

// A generated picture [1, 3, R, R] with its colours moved, smoothly, to where it equals the
// portrait along the seam.
torch::Tensor MatchSeam(const torch::Tensor& picture, const EnrolledIdentity& identity);
// The same for a picture of each identity, [B, 3, R, R].
torch::Tensor MatchSeams(const torch::Tensor& pictures,
                         const std::vector<const EnrolledIdentity*>& identities);

}  // namespace talkface::mftfg
