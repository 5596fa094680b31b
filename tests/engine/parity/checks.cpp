// SPDX-License-Identifier: MIT
#include "tests/engine/parity/checks.h"

namespace talkface::parity {

const std::vector<Check>& Checks() {
  static const std::vector<Check> checks = {
      {"encoders", "mid/audio_conv", CheckEncoders},
  };
  return checks;
}

}  // namespace talkface::parity
