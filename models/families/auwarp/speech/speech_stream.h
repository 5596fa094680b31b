// SPDX-License-Identifier: MIT
// One stream of auwarp's speech part: samples in, AuwarpControls out (talkface::SpeechModel).
#pragma once

#include <memory>

#include "models/core/family.h"
#include "models/families/auwarp/controls.h"
#include "models/families/auwarp/speech/speech_net.h"
#include "models/families/auwarp/speech/speech_run.h"

namespace talkface::auwarp {

constexpr uint64_t kLookAheadMinMs = LookAheadMs(0), kLookAheadMaxMs = LookAheadMs(kDelays - 1);

// A new stream at time 0, with the largest look-ahead. Takes 16 kHz mono. Lips rest
// in its first frame; motion fades in from there.
std::unique_ptr<SpeechModel> OpenSpeechStream(std::shared_ptr<const SpeechNet> net);

}  // namespace talkface::auwarp
