// SPDX-License-Identifier: MIT
#include "tests/units/families/mftfg/parity/checks.h"

namespace talkface::parity {

const std::vector<Check>& Checks() {
  static const std::vector<Check> checks = {
      {"audio2au", "out/feature_seq50", CheckAudio2AU},
      {"ddim", "mid/betas", CheckDdim},
      {"e2e", "mid/eps_step0", CheckEndToEnd},
      {"encoders", "mid/audio_conv", CheckEncoders},
      {"fusion", "mid/block0_attn_map", CheckFusion},
      {"mask", "mid/features_ch0_3", CheckMask},
      {"mfcc", "out/mfcc_f64", CheckMfcc},
      {"preprocess", "in/mean_shape67", CheckPreprocess},
      {"unet", "mid/before_newmodel2", CheckUnet},
      {"vq", "mid/enc_conv_out", CheckVq},
  };
  return checks;
}

}  // namespace talkface::parity
