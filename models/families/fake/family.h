// SPDX-License-Identifier: MIT
// A family without a model, for tests and as the worked example of docs/development.md: every frame
// is filled with bytes that depend on the portrait and on exactly the samples the frame may use, so
// a wrong sample anywhere shows in its checksum. On a base frame a quarter of its rows is. Delay
// and failures are set in the pack's manifest, section "fake":
//   delay_ms        0..10000  time a frame takes to draw
//   max_batch       1..64     frames drawn at once
//   has_units       bool      report AU25 and AU26
//   fail_open       bool      opening the engine fails
//   fail_enrol      bool      every portrait is refused as faceless
//   fail_at_frame   -1..      the frame, counted over the engine's life, whose drawing fails (-1:
//   none) fail_speech_at_ms -1..    media time from which Take fails (-1: never)
#pragma once

#include <memory>
#include <string>

#include "models/core/family.h"

namespace talkface::fake {

// "auto" and "cpu" are "cpu"; throws Error{kUnsupported} for any other.
std::string ResolveDevice(const Pack& pack, const std::string& device);
std::unique_ptr<Family> OpenFamily(const FamilyContext& context);

}  // namespace talkface::fake
