// SPDX-License-Identifier: MIT
#include "models/families/mftfg/face/face_scene.h"

#include <algorithm>
#include <cmath>

#include "models/imaging/scale.h"
#include "models/torch/lane.h"

namespace talkface::mftfg {
namespace {

using compose::Rect;
using torch::Tensor;

// How a picture is read between and beyond its pixels, as at::grid_sampler_2d counts it.
struct Reading {
  int64_t interpolation, padding;
};
constexpr Reading kBilinearInZeros{0, 0}, kBicubicInBorder{2, 1};

// Pixels of a picture [1, C, R, R] at the places of a grid [1, h, w, 2].
Tensor ReadAt(const Tensor& picture, const Tensor& grid, const Reading& how) {
  return at::grid_sampler_2d(picture, grid, how.interpolation, how.padding,
                             /*align_corners=*/false);
}

// The polygon's box in the frame, in whole pixels.
Rect BoxOf(const Landmarks& outline, const compose::Placement& placement) {
  double x0 = 1e9, y0 = 1e9, x1 = -1e9, y1 = -1e9;
  for (const Point& p : outline) {
    const double x = placement.rect.x0 + (p.x + 0.5) * placement.scale_x;
    const double y = placement.rect.y0 + (p.y + 0.5) * placement.scale_y;
    x0 = std::min(x0, x), x1 = std::max(x1, x);
    y0 = std::min(y0, y), y1 = std::max(y1, y);
  }
  return {static_cast<int>(std::floor(x0)), static_cast<int>(std::floor(y0)),
          static_cast<int>(std::ceil(x1)), static_cast<int>(std::ceil(y1))};
}

// Where in the aligned crop the pixels of `area` lie.
Tensor GridOf(const Rect& area, const compose::Placement& placement, const Affine& to_crop) {
  Tensor grid = torch::empty({1, area.y1 - area.y0, area.x1 - area.x0, 2});
  float* at = grid.data_ptr<float>();
  const auto unit = [](double place) {  // of the 224-pixel picture, to -1..1 between its edges
    return static_cast<float>((2 * place + 1) / kWarpSize - 1);
  };
  for (int j = area.y0; j < area.y1; ++j) {
    for (int i = area.x0; i < area.x1; ++i) {
      const double x = (i + 0.5 - placement.rect.x0) / placement.scale_x - 0.5;
      const double y = (j + 0.5 - placement.rect.y0) / placement.scale_y - 0.5;
      *at++ = unit(to_crop[0] * x + to_crop[1] * y + to_crop[2]);
      *at++ = unit(to_crop[3] * x + to_crop[4] * y + to_crop[5]);
    }
  }
  return grid;
}

}  // namespace

FaceScene::FaceScene(std::shared_ptr<const EnrolledIdentity> identity, const SceneOptions& options,
                     const Config& config)
    : identity_(std::move(identity)),
      warp_(identity_->portrait, options, /*repainted=*/true),
      steps_(options.sampler_steps > 0 ? options.sampler_steps : config.sampler_steps) {
  FastTimes(steps_);  // throws where the sampler cannot take them
  const int64_t latent = config.latent_size();
  const LatentNoise noise =
      SeededNoise(options.seed, {0}, {config.latent_channels, latent, latent});
  const torch::Device device = identity_->inside.device();
  start_ = noise.start(0, 1).to(device);
  std::vector<Tensor> steps;
  for (int64_t step = 0; step < steps_; ++step) steps.push_back(noise.renoise(step, 0, 1));
  renoise_ = torch::cat(steps).to(device);
  FindArea(options);
  FinishWork(device);
}

void FaceScene::FindArea(const SceneOptions& options) {
  const torch::NoGradGuard no_gradients;
  const auwarp::EnrolledFace& portrait = *identity_->portrait;
  const compose::Placement placement = compose::Place(
      portrait.width, portrait.height, options.target, options.add_borders, options.pixel_aspect);
  area_ = BoxOf(identity_->outline, placement)
              .Intersect(placement.rect)
              .Intersect(warp_.MovingPixels().area());
  if (!generates()) return;
  grid_ = GridOf(area_, placement, identity_->to_crop).to(identity_->inside.device());
  share_ = ReadAt(identity_->inside, grid_, kBilinearInZeros)[0][0].cpu().contiguous();  // [h, w]
}

// What moves, with the generated face in it.
auwarp::Patch FaceScene::Paste(const Generated& face) const {
  const Tensor matched = MatchSeam(face.picture, *identity_);             // [1, 3, R, R]
  const Tensor read = ReadAt(matched, grid_, kBicubicInBorder)[0] * 255;  // [3, h, w]
  const Tensor colours = read.clamp(0, 255).permute({1, 2, 0}).cpu().contiguous();
  const float* colour = colours.const_data_ptr<float>();
  const float* share = share_.const_data_ptr<float>();
  auwarp::Patch pixels = warp_.MovingPixels();
  for (int y = area_.y0; y < area_.y1; ++y) {
    uint8_t* pixel = pixels.At(area_.x0, y);
    for (int x = area_.x0; x < area_.x1; ++x, pixel += 4, colour += 3) {
      const float mixed = *share++ * face.shown;
      for (int c = 0; c < 3; ++c) {
        const auto own = static_cast<float>(pixel[c]);
        pixel[c] = static_cast<uint8_t>(std::lrintf(own + mixed * (colour[c] - own)));
      }
    }
  }
  pixels.RepeatEdge();
  return pixels;
}

void FaceScene::Draw(const Generated& face, uint64_t time_ns, const FrameTarget& target) const {
  auwarp::WarpScene::Frame frame;
  frame.time_ns = time_ns;
  auwarp::Patch pixels;
  if (face.picture.defined() && generates()) {
    pixels = Paste(face);
    frame.pixels = &pixels;
  }
  warp_.Render(frame, target);
}

const FrameCompositor& FaceScene::compositor() const {
  std::call_once(compositor_made_, [this] {
    compositor_ = std::make_unique<const FrameCompositor>(warp_, FacePlace{area_, grid_, share_},
                                                          identity_->inside.device());
  });
  return *compositor_;
}

}  // namespace talkface::mftfg
