// SPDX-License-Identifier: MIT
// Sounds whose phonemes are known (scripts/make_training_speech.py): speech of synthetic voices,
// music, and labels for prepared clips.
#pragma once

#include <string>
#include <vector>

#include "models/training/speech/speech_data.h"

namespace talkface::training {

// Reads every file of `folder` in the order of names. One that is named as a clip of `clips` gives
// that clip its phonemes; the others become clips without a mouth at the end of `clips`. Throws
// Error naming file, tensor, wanted and got.
void ReadPhones(const std::string& folder, std::vector<TrainingClip>* clips);

}  // namespace talkface::training
