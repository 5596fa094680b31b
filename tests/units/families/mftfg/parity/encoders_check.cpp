// SPDX-License-Identifier: MIT
// c_audio_landmark: AudioNet, AudioAttNet, LdmNet.
#include "models/families/mftfg/model/audio_encoder.h"
#include "models/families/mftfg/model/landmark_encoder.h"
#include "tests/units/families/mftfg/parity/checks.h"

namespace talkface::parity {

void CheckEncoders(Reference* reference) {
  mftfg::Config config;
  config.wiring = mftfg::Wiring::kOfficial;
  mftfg::AudioEncoder audio(config);
  reference->Load(*audio, "");
  audio->eval();
  const torch::Tensor mfcc = reference->Get("in/mfcc");  // [50, 12, 25]
  const torch::Tensor columns = mfcc.transpose(1, 2);
  reference->Compare("mid/audio_conv", audio->net->encoder_conv->forward(columns),
                     kModuleTolerance);
  const torch::Tensor audio64 = audio->net->forward(mfcc);
  reference->Compare("mid/audio64", audio64, kModuleTolerance);
  const torch::Tensor weights = audio->attention->Weights(audio64.view({-1, 8, 8}), {});
  reference->Compare("mid/att_weights", weights, kModuleTolerance);
  reference->Compare("out/audio8", audio->forward(mfcc.unsqueeze(0)).squeeze(0), kModuleTolerance);

  mftfg::LdmNet landmarks;
  reference->Load(*landmarks, "cond_stage_model_for_ldm.");
  landmarks->eval();
  reference->Compare("out/ldm64", landmarks->forward(reference->Get("in/landmarks39")),
                     kModuleTolerance);
}

}  // namespace talkface::parity
