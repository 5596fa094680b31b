// SPDX-License-Identifier: MIT
// Training material of the speech net: prepared clips with their targets, and the random sequences
// that are made of them.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "models/auwarp/prepared_clip.h"
#include "models/auwarp/speech_front_end.h"
#include "models/auwarp/speech_net.h"

namespace talkface::training {

using Mel = std::vector<std::array<float, auwarp::kMelBands>>;
using Target = std::array<float, auwarp::kOutputs>;

// One clip with its speaker's rest and gain taken out.
struct TrainingClip {
  std::string speaker, name;
  bool test = false;         // never trained on
  Mel mel;                   // [T] at 100 Hz
  std::vector<Target> grid;  // [T / 2 + 1] at 0, 20, 40 ... ms; NaN where nothing is known
  std::vector<int16_t> audio;
  std::vector<double> times;          // of the video's frames
  std::vector<Target> frame_targets;  // [times]
};

// Reads every clip of `folder`, in the order of names. Of speakers with at least 20 clips every
// `test_every`-th is set aside (0: none). A picture that is more than 45 ms off its sound is moved
// by what was measured. Throws Error where there is no clip.
std::vector<TrainingClip> ReadTrainingClips(const std::string& folder, int test_every);

// Ten numbers in the net's order.
Target TargetOf(const auwarp::Expression& expression);

// One random sequence: clips, generated sounds and silences one after the other.
struct Sequence {
  std::vector<float> mel;      // [steps x 2 x kMelBands], normalised
  std::vector<Target> target;  // [steps] at the step's end
  std::vector<float> weight;   // [steps] 0: nothing known
};

class SequenceMaker {
 public:
  // Clips of `held_out` speakers and test clips are left out.
  SequenceMaker(const std::vector<TrainingClip>& clips, const std::vector<std::string>& held_out,
                uint64_t seed);

  Sequence Make(int steps, std::mt19937_64* random) const;
  // Mean bands of the clips, over frames that are no silence, and spread of the targets.
  std::array<float, auwarp::kMelBands> TypicalMel() const;
  Target Spread() const;

 private:
  struct Speaker {
    std::string name;
    std::vector<const TrainingClip*> clips;
    double share;  // of the speech
  };
  const Speaker& PickSpeaker(std::mt19937_64* random) const;

  std::vector<Speaker> speakers_;
  std::vector<Mel> noises_;
  std::array<float, auwarp::kMelBands> typical_mel_;
};

}  // namespace talkface::training
