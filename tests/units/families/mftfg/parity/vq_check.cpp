// SPDX-License-Identifier: MIT
// f_vq: encoder, quantiser and decoder of the first stage.
#include "models/families/mftfg/model/first_stage.h"
#include "tests/units/families/mftfg/parity/checks.h"
#include "tests/units/families/mftfg/parity/sizes.h"

namespace talkface::parity {
namespace {

using torch::Tensor;

// The tensor's part that the file keeps: its first frames and channels.
Tensor KeptPart(const Tensor& all, const Tensor& like) {
  return all.narrow(0, 0, like.size(0)).narrow(1, 0, like.size(1));
}

void CheckEncoder(Reference* reference, mftfg::FirstStage& model) {
  mftfg::VqEncoder& encoder = model->encoder;
  Tensor x = encoder->Down(0, encoder->conv_in(reference->Get("in/image")));
  reference->Compare("mid/enc_down0", KeptPart(x, reference->Get("mid/enc_down0")),
                     kModuleTolerance);
  for (size_t level = 1; level < encoder->down.size(); ++level) x = encoder->Down(level, x);
  x = encoder->mid->attn_1(encoder->mid->block_1(x));
  reference->Compare("mid/enc_attn", KeptPart(x, reference->Get("mid/enc_attn")), kModuleTolerance);
  reference->Compare("mid/enc_conv_out", encoder(reference->Get("in/image")), kModuleTolerance);
  reference->Compare("out/z", model->Encode(reference->Get("in/image")), kModuleTolerance);
  reference->Compare("out/z255", model->Encode(reference->Get("in/image255")), kModuleTolerance);
}

// The golden latents are quantised and decoded, not ours, which may lie on the other side of a
// border of two codes; of the golden ones, the nearest is 2.9e-5 away from one.
void CheckDecoder(Reference* reference, mftfg::FirstStage& model) {
  const Tensor z = reference->Get("out/z"), random = reference->Get("in/z_rand");
  reference->Compare("out/indices", model->quantize->Indices(z), kExact);
  reference->Compare("out/zq", model->quantize(z), kModuleTolerance);
  reference->Compare("out/rec_quant", model->Decode(z), kModuleTolerance);
  reference->Compare("out/rec_noquant", model->DecodeCodes(z), kModuleTolerance);
  const Tensor middle =
      model->decoder->mid(model->decoder->conv_in(model->post_quant_conv(random)));
  reference->Compare("mid/dec_mid", KeptPart(middle, reference->Get("mid/dec_mid")),
                     kModuleTolerance);
  reference->Compare("out/dec_rand_noquant", model->DecodeCodes(random), kModuleTolerance);
  reference->Compare("out/dec_rand_quant", model->Decode(random), kModuleTolerance);
}

}  // namespace

void CheckVq(Reference* reference) {
  mftfg::Config config;
  ReadFirstStageSizes(*reference, &config);
  mftfg::FirstStage model(config);
  reference->Load(*model, "first_stage_model.");
  model->eval();
  CheckEncoder(reference, model);
  CheckDecoder(reference, model);
  reference->IsNoOutput("mid/code_margin");
  reference->IsNoOutput("mid/code_margin_rand");
}

}  // namespace talkface::parity
