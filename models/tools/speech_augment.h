// SPDX-License-Identifier: MIT
// Other rooms, microphones and throats: changes of log-mel bands that leave the mouth's motion
// true.
#pragma once

#include <random>

#include "models/tools/speech_data.h"

namespace talkface::training {

// Frequency warp (+-22 %), an equaliser's tilt and bump, an echoing room (one in four), noise
// mixed in (two in five, 3 to 30 dB below the speech) and a gain of -25 to +10 dB, in this order.
Mel Augment(const Mel& mel, const Mel& noise, std::mt19937_64* random);

}  // namespace talkface::training
