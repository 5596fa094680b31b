// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/landmark_encoder.h"

#include "models/torch/activation.h"

namespace talkface::mftfg {
namespace {

namespace nn = torch::nn;

}  // namespace

LdmNetImpl::LdmNetImpl()
    : encoder_fc1(nn::Linear(2 * kLandmarks, 128), nets::EncoderActivation(), nn::Linear(128, 64),
                  nets::EncoderActivation(), nn::Linear(64, kLandmarkFeatures)) {
  register_module("encoder_fc1", encoder_fc1);
}

torch::Tensor LdmNetImpl::forward(const torch::Tensor& landmarks) {
  const torch::Tensor x = landmarks.flatten(-2);  // [..., 78]: x0, y0, x1, y1..
  return encoder_fc1->forward(x);                 // [..., 64]
}

}  // namespace talkface::mftfg
