// SPDX-License-Identifier: MIT
// Training material of the speech net: prepared clips with their targets, and the random sequences
// that are made of them.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "models/families/auwarp/speech/speech_net.h"
#include "models/speech/log_mel.h"
#include "models/training/clips/prepared_clip.h"

namespace talkface::training {

using Mel = std::vector<std::array<float, speech::kMelBands>>;
using Target = std::array<float, auwarp::kOutputs>;

// One clip with its speaker's rest and gain taken out, or (times empty) a sound without a picture.
struct TrainingClip {
  std::string speaker, name;
  bool test = false;         // never trained on
  Mel mel;                   // [T] at 100 Hz
  std::vector<Target> grid;  // [T / 2 + 1] at 0, 20, 40 ... ms; NaN where nothing is known
  std::vector<int16_t> audio;
  std::vector<double> times;          // of the video's frames
  std::vector<Target> frame_targets;  // [times]
  std::vector<int> phones;            // [T / 2] kind of sound (kPhones), -1: not known; or empty
};

// The prepared clips (*.safetensors) of `folder` in the order of names; throws Error where there is
// none.
std::vector<std::string> ClipPaths(const std::string& folder);
Mel MelOf(const std::vector<int16_t>& audio);

// Which clips of speakers with at least 20 clips are set aside: every `every`-th (0: none) for the
// figures; or, to `validate`, those half-way between them, and then the others are left out whole,
// so that no choice is made by them.
struct TestChoice {
  int every = 9;
  bool validate = false;
};

// Reads every clip of `folder`, in the order of names. A picture that is more than 45 ms off its
// sound is moved by what was measured. Throws Error where there is no clip.
std::vector<TrainingClip> ReadTrainingClips(const std::string& folder, const TestChoice& choice);

// Ten numbers in the net's order.
Target TargetOf(const auwarp::Expression& expression);

// One random sequence: clips, generated sounds and silences one after the other.
struct Sequence {
  std::vector<float> mel;      // [steps x 2 x kMelBands], normalised
  std::vector<Target> target;  // [steps] at the step's end
  std::vector<float> weight;   // [steps] 0: nothing known
  std::vector<int64_t> phone;  // [steps] kind of sound in the step, -1: not known
};

class SequenceMaker {
 public:
  // Clips of `held_out` speakers and test clips are left out.
  SequenceMaker(const std::vector<TrainingClip>& clips, const std::vector<std::string>& held_out,
                uint64_t seed);

  Sequence Make(int steps, std::mt19937_64* random) const;
  // Mean bands of the clips, over frames that are no silence, and spread of the targets.
  std::array<float, speech::kMelBands> TypicalMel() const;
  Target Spread() const;

 private:
  struct Speaker {
    std::string name;
    std::vector<const TrainingClip*> clips;
    double share;  // of the speech
  };
  struct Draft;
  const Speaker& PickSpeaker(std::mt19937_64* random) const;
  const Mel& PickNoise(std::mt19937_64* random) const;
  void AddRest(bool silent, std::mt19937_64* random, Draft* draft) const;
  void AddClip(const TrainingClip& clip, std::mt19937_64* random, Draft* draft) const;

  std::vector<Speaker> speakers_;            // with a picture
  std::vector<const TrainingClip*> voices_;  // without one
  std::vector<const TrainingClip*> music_;   // no speech at all
  std::vector<Mel> noises_;
  std::array<float, speech::kMelBands> typical_mel_;
};

}  // namespace talkface::training
