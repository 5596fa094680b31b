// SPDX-License-Identifier: MIT
// Batches of frames on a device that works by itself (CUDA):
//
//   sampling lane   [ fusion | U-Net x steps ]  [ next batch ...             ]
//   drawing lane                              ▼ [ decoder | seam | compose | copy back ]
//   CPU                                                                            ▼ [ frames ]
//
// Networks are recorded (batch_graphs.h). While one batch is drawn the next one is sampled.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "models/core/family.h"
#include "models/families/mftfg/generator.h"
#include "models/torch/accelerator.h"
#include "models/torch/batch_graphs.h"
#include "models/torch/lane.h"

namespace talkface::mftfg {

// Shared by all workers: two of them queue work at a time, one on each lane.
class DeviceRenderer {
 public:
  // `model` is prepared for inference on `device`.
  DeviceRenderer(Model model, torch::Device device, std::unique_ptr<nets::Accelerator> accelerator);

  // Draws frames with a generated face; all scenes have the same number of steps. Throws
  // Error{kCancelled} once nobody wants any of them.
  void Render(const std::vector<const RenderItem*>& items);

  const nets::Accelerator& accelerator() const { return *accelerator_; }
  // Why a network runs kernel by kernel; "" where all are recorded.
  std::string Trouble() const;

 private:
  struct Drawn;
  torch::Tensor Sample(const std::vector<FaceRequest>& requests, const std::function<bool()>& stop,
                       nets::Mark* sampled);
  std::vector<Drawn> Draw(const std::vector<const RenderItem*>& items,
                          const std::vector<FaceRequest>& requests, const torch::Tensor& latents);
  nets::BatchGraphs Graphs(nets::BatchGraphs::Network network, int pool);
  torch::Tensor Fuse(const FusionInput& input);
  Denoiser MakeStep(const torch::Tensor& conditions, const Guidance& guidance);

  Model model_;
  const std::unique_ptr<nets::Accelerator> accelerator_;
  const torch::Tensor times_;  // [1000] int64 on the device: 0, 1, 2 ...

  mutable std::mutex sampling_mutex_, drawing_mutex_;  // taken in this order, one at a time
  const nets::Lane sampling_, drawing_;
  nets::BatchGraphs fusion_, unet_;  // with sampling_mutex_
  nets::BatchGraphs decoder_;        // with drawing_mutex_
};

}  // namespace talkface::mftfg
