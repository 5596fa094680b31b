// SPDX-License-Identifier: MIT
// How well a speech net follows a clip's mouth, by the very code that runs in a stream.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "models/families/auwarp/speech/speech_net.h"
#include "models/training/speech/speech_data.h"

namespace talkface::training {

struct ClipScore {
  // Correlation with the measured motion at the video's frames, for each of the net's delays.
  std::array<double, auwarp::kDelays> opening, width;
  // Of the longest delay: spread of the motion over the spread measured.
  std::array<double, auwarp::kOutputs> liveliness;
  // Where the clip's phonemes are known: p, b and m in it, and how many of them close the lips,
  // that is, within them and a step around the opening falls to 35 % of the clip's 95th percentile.
  int closures, closed;
};

ClipScore ScoreClip(std::shared_ptr<const auwarp::SpeechNet> net, const TrainingClip& clip);

struct MeanScore {
  int clips = 0;
  std::array<double, auwarp::kDelays> opening{}, width{};
  double worst_opening = 0;
  std::array<double, auwarp::kOutputs> liveliness{};
  int closures = 0, closed = 0;
};

MeanScore Mean(const std::vector<ClipScore>& scores);

}  // namespace talkface::training
