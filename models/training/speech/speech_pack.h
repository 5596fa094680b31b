// SPDX-License-Identifier: MIT
// The pack around trained speech weights: manifest and model card.
#pragma once

#include <string>
#include <vector>

#include "models/training/speech/speech_score.h"

namespace talkface::training {

struct SpeechFigures {
  std::string command;                  // as typed
  std::vector<std::string> speakers;    // trained on, with the number of their clips
  std::vector<std::string> test_clips;  // never trained on
  MeanScore test;                       // of the shipped net on the test clips
  std::vector<std::string> fold_clips;  // "SPEAKER CLIP opening width" by a net that left them out
  MeanScore folds;
};

// Writes FOLDER/manifest.json and FOLDER/MODEL_CARD.md for FOLDER/speech.safetensors. Other parts
// of a manifest that is there already (files, settings) are kept.
void WriteSpeechPack(const std::string& folder, const SpeechFigures& figures);

}  // namespace talkface::training
