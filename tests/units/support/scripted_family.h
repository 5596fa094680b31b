// SPDX-License-Identifier: MIT
// A family whose drawing is the test's own.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "models/core/family.h"

namespace talkface::test {

class ScriptedFamily : public Family {
 public:
  std::function<void(const std::vector<RenderItem>&)> draw = [](const auto&) {};
  uint32_t max_batch = 1;

  void FindFace(const Pixels&, const FaceInfo*, FaceInfo*) override {}
  std::shared_ptr<const FaceModel> Enrol(const Pixels&) override { return nullptr; }
  std::unique_ptr<SpeechModel> OpenSpeech() override { return nullptr; }
  std::shared_ptr<const SceneModel> Prepare(std::shared_ptr<const FaceModel>,
                                            const SceneSettings&) override {
    return nullptr;
  }
  void Render(const std::vector<RenderItem>& items) override { draw(items); }
  uint32_t MaxBatch() const override { return max_batch; }
  uint64_t MemoryUse() const override { return 0; }
};

}  // namespace talkface::test
