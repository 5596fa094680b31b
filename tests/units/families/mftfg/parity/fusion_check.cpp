// SPDX-License-Identifier: MIT
// d_fusion: the audio-face's latents to 4 numbers, the concatenation, TACN.
#include <sstream>

#include "models/families/mftfg/model/fusion.h"
#include "tests/units/families/mftfg/parity/checks.h"

namespace talkface::parity {
namespace {

std::vector<int64_t> Numbers(const std::string& text) {
  std::vector<int64_t> numbers;
  std::istringstream in(text);
  for (std::string number; std::getline(in, number, ',');) numbers.push_back(std::stoll(number));
  return numbers;
}

void CheckBlocks(Reference* reference, mftfg::Tacn tacn, torch::Tensor x) {
  for (size_t i = 0; i < tacn->blocks.size(); ++i) {
    mftfg::TemporalBlock block = tacn->blocks[i];
    const std::string name = "mid/block" + std::to_string(i);
    reference->Compare(name + "_conv1", block->conv1(x), kModuleTolerance);
    const torch::Tensor convolved = block->Convolve(x, {});
    reference->Compare(name + "_att", block->Attend(convolved, {}), kModuleTolerance);
    if (reference->Has(name + "_attn_map")) {
      const torch::Tensor weights = block->att->Weights(convolved, {}).squeeze(0);
      reference->Compare(name + "_attn_map", weights, kModuleTolerance);
    }
    x = block(x, torch::Tensor());
    if (reference->Has(name)) reference->Compare(name, x, kModuleTolerance);
  }
}

}  // namespace

void CheckFusion(Reference* reference) {
  const torch::Tensor lip = reference->Get("in/lip");  // [50, 3, 28, 28]
  mftfg::Config config;
  config.wiring = mftfg::Wiring::kOfficial;
  config.window_frames = lip.size(0);
  config.latent_channels = lip.size(1);
  config.image_size = lip.size(2) << (config.first_stage_mult.size() - 1);
  config.tacn_channels = Numbers(reference->Fact("tacn_channels"));
  mftfg::Fusion fusion(config);
  reference->Load(*fusion, "model.");
  fusion->eval();

  const torch::Tensor fc1 = fusion->fc1(lip.flatten(1));
  reference->Compare("mid/fc1", fc1, kModuleTolerance);
  reference->Compare("mid/fc2", fusion->fc2(fc1), kModuleTolerance);
  const mftfg::FusionInput input = {reference->Get("in/audio8").unsqueeze(0),
                                    lip.unsqueeze(0),
                                    reference->Get("in/ldm64").unsqueeze(0),
                                    reference->Get("in/au320").unsqueeze(0),
                                    {}};
  const torch::Tensor fused = fusion->Concatenate(input);  // [1, 50, 396]
  reference->Compare("mid/cc396", fused.squeeze(0), kModuleTolerance);
  CheckBlocks(reference, fusion->tacn, fused.transpose(1, 2));
  const torch::Tensor mixed = fusion->tacn(fused.transpose(1, 2));  // [1, C, 50]
  reference->Compare("out/tacn", mixed, kModuleTolerance);
  reference->Compare("out/context", mixed.permute({2, 0, 1}), kModuleTolerance);
  reference->Compare("mid/context_first8", fusion->forward(input), kModuleTolerance);
}

}  // namespace talkface::parity
