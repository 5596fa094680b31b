// SPDX-License-Identifier: MIT
// One stream's speech part (talkface::SpeechModel): samples in, and for each frame the features of
// the window around it.
#pragma once

#include <memory>

#include "models/core/family.h"
#include "models/families/mftfg/model/model.h"
#include "models/families/mftfg/speech/speech_run.h"
#include "models/torch/device_errors.h"
#include "models/torch/lane.h"

namespace talkface::mftfg {

// What the encoders hear in one window of T = Config::window_frames frames.
struct HeardWindow {
  torch::Tensor audio;             // [1, T, A]
  torch::Tensor units;             // [1, T, 320]
  torch::Tensor valid;             // [1, T] bool, or none: all frames are
  int64_t place = 0;               // the drawn frame
  std::vector<float> intensities;  // of that frame, 0..5; only with the corrected wiring
  nets::Mark ready;                // behind which the tensors are another lane's to read
};

class SpeechControls : public FrameControls {
 public:
  std::shared_ptr<const HeardWindow> heard;  // null where shown is 0
  float shown = 0;  // of the generated face; the rest is the portrait as it is
};

// The frames that a look-ahead covers behind the drawn one, out of a window of `frames`.
int64_t FramesAhead(uint64_t look_ahead_ns, int64_t frames);

// A new stream at time 0, with the whole window as look-ahead. Takes 16 kHz mono. The model is
// prepared for inference on `device`; `memory` is for the errors.
std::unique_ptr<SpeechModel> OpenSpeechStream(Model model, torch::Device device,
                                              const nets::DeviceMemory& memory = {});

}  // namespace talkface::mftfg
