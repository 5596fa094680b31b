// SPDX-License-Identifier: MIT
#include "models/families/mftfg/face/face_scene.h"

#include "models/torch/lane.h"

namespace talkface::mftfg {

using torch::Tensor;

FaceScene::FaceScene(std::shared_ptr<const EnrolledIdentity> identity,
                     const SceneSettings& settings, const Config& config)
    : identity_(std::move(identity)),
      portrait_(
          identity_->portrait, settings,
          [this](const portrait::MouthSite& site) {
            auto face = std::make_unique<const PastedFace>(*identity_, site);
            face_ = face.get();
            return face;
          },
          /*repainted=*/true),
      steps_(settings.family_options.Whole(kStepsOption, 1, kMostFastSteps, config.sampler_steps)) {
  const int64_t latent = config.latent_size();
  const LatentNoise noise =
      SeededNoise(settings.seed, {0}, {config.latent_channels, latent, latent});
  const torch::Device device = identity_->inside.device();
  start_ = noise.start(0, 1).to(device);
  std::vector<Tensor> steps;
  for (int64_t step = 0; step < steps_; ++step) steps.push_back(noise.renoise(step, 0, 1));
  renoise_ = torch::cat(steps).to(device);
  nets::FinishWork(device);
}

void FaceScene::Draw(const Generated& face, uint64_t time_ns, const FrameTarget& target) const {
  PastedMotion motion;
  motion.face = face;
  portrait_.Render({&motion, {}, time_ns}, target);
}

const FrameCompositor& FaceScene::compositor() const {
  std::call_once(compositor_made_, [this] {
    compositor_ = std::make_unique<const FrameCompositor>(portrait_, face_->place(),
                                                          identity_->inside.device());
  });
  return *compositor_;
}

}  // namespace talkface::mftfg
