// SPDX-License-Identifier: MIT
// Sounds that are no speech, made by arithmetic: for mixing under speech and for teaching the net
// to keep still.
#pragma once

#include <random>
#include <vector>

namespace talkface::training {

// `count` samples at 16 kHz of one random kind (white, pink, brown, hum, clicks, tones, chords
// with notes) at a random level.
std::vector<float> MakeNoise(int count, std::mt19937_64* random);

}  // namespace talkface::training
