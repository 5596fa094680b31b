// SPDX-License-Identifier: MIT
// A CPU in an accelerator's place, and a small model for it.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "models/families/mftfg/face/frame_compositor.h"
#include "models/torch/accelerator.h"
#include "tests/units/support/mftfg_pack.h"

namespace talkface::mftfg {

// Records by remembering.
class Remembered : public nets::Recorded {
 public:
  explicit Remembered(std::function<void()> work) : work_(std::move(work)) {}
  void Replay() override { work_(); }

 private:
  std::function<void()> work_;
};

class CpuAccelerator : public nets::Accelerator {
 public:
  std::string Describe() const override { return "CPU"; }
  std::unique_ptr<nets::Recorded> Record(const std::function<void()>& work, int) override {
    if (!records) throw std::runtime_error("no recording here");
    work();
    ++recordings;
    return std::make_unique<Remembered>(work);
  }
  void Compose(const imaging::ComposeJob& job) override { RunCompose(job); }

  bool records = true;
  int recordings = 0;
};

inline Model PreparedModel(Wiring wiring = Wiring::kCorrected) {
  Model model = RandomModel(SmallConfig(wiring));
  model->PrepareInference(torch::kCPU, torch::kFloat32);
  return model;
}

}  // namespace talkface::mftfg
