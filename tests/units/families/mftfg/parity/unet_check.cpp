// SPDX-License-Identifier: MIT
// g_unet: the denoiser, step by step, with its attention to the context plain and folded.
#include "models/families/mftfg/model/unet.h"
#include "tests/units/families/mftfg/parity/checks.h"
#include "tests/units/families/mftfg/parity/sizes.h"

namespace talkface::parity {
namespace {

using torch::Tensor;

Tensor Kept(const Tensor& all, const Tensor& like) { return all.narrow(0, 0, like.size(0)); }

void CompareKept(Reference* reference, const std::string& name, const Tensor& all) {
  reference->Compare(name, Kept(all, reference->Get(name)), kModuleTolerance);
}

// The parts of the first transformer; x is its input.
void CheckTransformer(Reference* reference, mftfg::SpatialTransformer& transformer, const Tensor& x,
                      const mftfg::Guidance& guidance) {
  mftfg::TransformerBlock& block = transformer->block;
  Tensor tokens = mftfg::TokensOfMap(transformer->proj_in(transformer->norm(x)));
  const Tensor own = block->norm1(tokens);
  const Tensor first = block->attn1(own, own);
  CompareKept(reference, "mid/first_attn1_out", first);
  tokens = tokens + first;
  const Tensor second = block->attn2(block->norm2(tokens), guidance.tokens);
  const int64_t kept = reference->Get("mid/first_attn2_out").size(1);
  CompareKept(reference, "mid/first_attn2_out", second.narrow(1, 0, kept));
  CompareKept(reference, "mid/first_spatial_transformer", transformer(x, guidance));
}

void CheckSteps(Reference* reference, mftfg::Unet& model, const mftfg::Guidance& guidance) {
  const Tensor t = reference->Get("in/t"), time = model->EmbedTime(t);
  const size_t first_attention = std::stoul(reference->Fact("first_attn_input_block"));
  const int64_t channels = reference->Get("mid/timestep_embedding").size(1);
  reference->Compare("mid/timestep_embedding", mftfg::TimestepEmbedding(t, channels),
                     kModuleTolerance);
  reference->Compare("mid/time_embed", time, kModuleTolerance);
  Tensor h = model->border(reference->Get("in/x"));
  CompareKept(reference, "mid/padded32", h);
  std::vector<Tensor> skips;
  for (size_t i = 0; i < model->input_blocks.size(); ++i) {
    mftfg::UnetStage& stage = model->input_blocks[i];
    if (i == first_attention)
      CheckTransformer(reference, stage.transformer, stage.res(h, time), guidance);
    h = model->RunStage(stage, h, time, guidance);
    if (i == 1) CompareKept(reference, "mid/input_block1", h);
    skips.push_back(h);
  }
  for (mftfg::UnetStage& stage : model->middle_block) h = model->RunStage(stage, h, time, guidance);
  CompareKept(reference, "mid/middle", h);
  for (mftfg::UnetStage& stage : model->output_blocks) {
    h = model->RunStage(stage, torch::cat({h, skips.back()}, 1), time, guidance);
    skips.pop_back();
  }
  CompareKept(reference, "mid/before_newmodel2", h);
  CompareKept(reference, "mid/newmodel2", model->unborder(h));
}

}  // namespace

void CheckUnet(Reference* reference) {
  mftfg::Config config;
  config.wiring = mftfg::Wiring::kOfficial;
  const Tensor x = reference->Get("in/x"), t = reference->Get("in/t");
  ReadUnetSizes(*reference, "hc", x.size(2), &config);
  mftfg::Unet model(config);
  reference->Load(*model, "model.diffusion_model.");
  model->eval();
  const mftfg::Guidance plain = model->Attend(reference->Get("in/context"));
  CheckSteps(reference, model, plain);
  reference->Compare("out/eps", model(x, t, plain), kModuleTolerance);
  reference->Compare("out/eps", model(x, t, model->Fold(reference->Get("in/context"))),
                     kModuleTolerance);
}

}  // namespace talkface::parity
