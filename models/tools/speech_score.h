// SPDX-License-Identifier: MIT
// How well a speech net follows a clip's mouth, by the very code that runs in a stream.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "models/auwarp/speech_net.h"
#include "models/tools/speech_data.h"

namespace talkface::training {

struct ClipScore {
  // Correlation with the measured motion at the video's frames, for each of the net's delays.
  std::array<double, auwarp::kDelays> opening, width;
  // Of the longest delay: spread of the motion over the spread measured.
  std::array<double, auwarp::kOutputs> liveliness;
};

ClipScore ScoreClip(std::shared_ptr<const auwarp::SpeechNet> net, const TrainingClip& clip);

struct MeanScore {
  int clips = 0;
  std::array<double, auwarp::kDelays> opening{}, width{};
  double worst_opening = 0;
  std::array<double, auwarp::kOutputs> liveliness{};
};

MeanScore Mean(const std::vector<ClipScore>& scores);

}  // namespace talkface::training
