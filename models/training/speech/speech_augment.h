// SPDX-License-Identifier: MIT
// Other rooms, microphones and throats: changes of log-mel bands that leave the mouth's motion
// true.
#pragma once

#include <random>

#include "models/training/speech/speech_data.h"

namespace talkface::training {

// What a microphone does to all it hears: a gain (-25 to +10 dB), a tilt and a bump over the bands,
// and, one in eight, a telephone's cut (only 300 to 3400 Hz).
struct Microphone {
  std::array<float, speech::kMelBands> add;  // to the logarithms
};
Microphone DrawMicrophone(std::mt19937_64* random);

// Frequency warp (+-22 %), an echoing room (one in seven), noise mixed in (one in four, 3 to 30 dB
// below the speech), the microphone, and a loudness of +-3 dB, in this order.
Mel Augment(const Mel& mel, const Mel& noise, const Microphone& microphone,
            std::mt19937_64* random);

}  // namespace talkface::training
