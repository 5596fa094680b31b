// SPDX-License-Identifier: MIT
// Landmark features (LdmNet of the official code).
#pragma once

#include <torch/torch.h>

#include "models/families/mftfg/config.h"

namespace talkface::mftfg {

// Brow, eye, nose and jaw points of a face to a vector; the mouth is not among them.
//   landmarks [..., 39, 2] -> [..., 64]
// Official: raw pixels of the 112-pixel face. Corrected: NormaliseLandmarks (face_inputs.h).
class LdmNetImpl : public torch::nn::Module {
 public:
  LdmNetImpl();
  torch::Tensor forward(const torch::Tensor& landmarks);

  torch::nn::Sequential encoder_fc1;  // "cond_stage_model_for_ldm.encoder_fc1"
};
TORCH_MODULE(LdmNet);

}  // namespace talkface::mftfg
