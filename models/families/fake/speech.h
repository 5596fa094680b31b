// SPDX-License-Identifier: MIT
// The fake family's speech part: keeps samples and hashes those that a frame may use.
#pragma once

#include <memory>
#include <vector>

#include "models/core/family.h"
#include "models/families/fake/config.h"

namespace talkface::fake {

class FakeControls : public FrameControls {
 public:
  uint32_t hash = 0;  // of the samples in [time, time + look-ahead)
};

std::unique_ptr<SpeechModel> OpenSpeech(const PackTiming& timing, const Config& config);

}  // namespace talkface::fake
