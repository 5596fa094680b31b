// SPDX-License-Identifier: MIT
// Trains the speech net on prepared clips.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/families/auwarp/speech/speech_net.h"
#include "models/training/speech/speech_data.h"

namespace talkface::training {

struct SpeechTraining {
  int iterations = 600;
  int batch = 8;
  int steps = 400;  // of 20 ms in one sequence
  double rate = 4e-3;
  uint64_t seed = 0;  // of the first member; the others have the numbers after it
  int members = 4;    // trained one after the other
  int channels = 96, hidden = 128;
  std::vector<std::string> held_out;  // speakers
  std::string voice;                  // silero-vad's safetensors file, put into the pack; or ""
  int threads = 1;                    // of libtorch
  std::string checkpoint;             // "": none; written every 50 iterations, a file a member
  bool resume = false;                // go on from the checkpoints
};

// Trains on the clips that are neither test clips nor of speakers held out, writes the weights to
// `weights` and returns the net read back from there. Prints progress to stderr. The same options
// and clips give the same weights on the same machine.
std::shared_ptr<const auwarp::SpeechNet> TrainSpeech(const std::vector<TrainingClip>& clips,
                                                     const SpeechTraining& options,
                                                     const std::string& weights);

}  // namespace talkface::training
