// SPDX-License-Identifier: MIT
#include "models/families/mftfg/face/identity.h"

#include <algorithm>

#include "models/core/error.h"
#include "models/families/mftfg/face/face_inputs.h"
#include "models/families/mftfg/face/landmarks_68.h"
#include "models/imaging/frame_writer.h"
#include "models/torch/lane.h"

namespace talkface::mftfg {
namespace {

using compose::Rect;
using torch::Tensor;

constexpr int64_t kFeatherShare = 32;  // the feather's radius is R / 32: 3 of 112 pixels
constexpr int64_t kMatchShare = 4;     // colours are matched over R / 4

// The mean of the square around each pixel, what lies beyond the picture being 0. x [B, C, R, R].
Tensor BoxMean(const Tensor& x, int64_t radius) {
  const int64_t side = 2 * radius + 1;
  const Tensor across = at::avg_pool2d(x, {1, side}, {1, 1}, {0, radius});
  return at::avg_pool2d(across, {side, 1}, {1, 1}, {radius, 0});
}

// Spread over the distance in which colours are matched.
Tensor Wide(const Tensor& x) {
  const int64_t radius = x.size(3) / kMatchShare;
  return BoxMean(BoxMean(x, radius), radius);
}

// The pixels of the portrait that the aligned crop is made of.
Rect ReachOf(const Affine& to_crop) {
  constexpr double kMargin = 2;  // px, for the bilinear reading
  const double det = to_crop[0] * to_crop[4] - to_crop[1] * to_crop[3];
  double low[2] = {1e6, 1e6}, high[2] = {-1e6, -1e6};
  for (int corner = 0; corner < 4; ++corner) {
    const double u = (corner % 2) * kWarpSize - to_crop[2];
    const double v = (corner / 2) * kWarpSize - to_crop[5];
    const double at[2] = {(to_crop[4] * u - to_crop[1] * v) / det,
                          (to_crop[0] * v - to_crop[3] * u) / det};
    for (int i = 0; i < 2; ++i) {
      low[i] = std::min(low[i], at[i] - kMargin);
      high[i] = std::max(high[i], at[i] + kMargin);
    }
  }
  return {static_cast<int>(low[0]), static_cast<int>(low[1]), static_cast<int>(high[0]) + 1,
          static_cast<int>(high[1]) + 1};
}

// RGB over black.
ByteImage CutOut(const Pixels& picture, const Rect& area) {
  ByteImage cut(area.x1 - area.x0, area.y1 - area.y0, 3);
  for (int y = area.y0; y < area.y1; ++y) {
    const uint8_t* from =
        picture.data + static_cast<size_t>(y) * picture.stride + 4 * static_cast<size_t>(area.x0);
    uint8_t* to = cut.Row(y - area.y0);
    for (int x = area.x0; x < area.x1; ++x, from += 4) {
      for (int c = 0; c < 3; ++c) *to++ = static_cast<uint8_t>((from[c] * from[3] + 127) / 255);
    }
  }
  return cut;
}

// Out of a part of the picture: all of it as real numbers could be too large.
ByteImage CropOf(const Pixels& picture, const Affine& to_crop) {
  const Rect whole{0, 0, static_cast<int>(picture.width), static_cast<int>(picture.height)};
  const Rect area = ReachOf(to_crop).Intersect(whole);
  if (area.Empty()) throw Error(Code::kNoFace, "The face lies outside of the picture.");
  Affine shifted = to_crop;
  shifted[2] += to_crop[0] * area.x0 + to_crop[1] * area.y0;
  shifted[5] += to_crop[3] * area.x0 + to_crop[4] * area.y0;
  return CropFace(CutOut(picture, area), shifted);
}

// Planar values as a batch of one picture.
Tensor Planes(const std::vector<float>& values, int64_t size) {
  return torch::tensor(values).view({1, -1, size, size});
}

Tensor Bytes(const ByteImage& image) {  // [1, 1, H, W] of one channel
  return torch::tensor(image.values, torch::kUInt8).view({1, 1, image.height, image.width});
}

Tensor EncoderInput(const Landmarks& landmarks, const Config& config) {  // [1, 1, 39, 2]
  const auto rows = config.official()
                        ? EncoderLandmarks(landmarks, static_cast<int>(config.image_size))
                        : NormalisedLandmarks(landmarks);
  return torch::tensor(rows).view({1, 1, kLandmarks, 2});
}

FacePictures PicturesOf(const ByteImage& crop, const Landmarks& landmarks, const Config& config) {
  const int size = static_cast<int>(config.image_size);
  const ByteImage reference = ReferenceImage(crop, size);
  FacePictures pictures;
  pictures.reference = Planes(Normalised(reference), size);
  pictures.mask_input = Planes(MaskInput(crop, size), size);
  pictures.units = torch::zeros({1, kActionUnits});  // a still portrait rests
  pictures.frames = pictures.reference;
  pictures.masked = Planes(Normalised(ImageMask(reference, landmarks)), size);
  pictures.keep = Bytes(InferenceMask(landmarks, static_cast<int>(config.latent_size())));
  return pictures;
}

FacePictures Moved(const FacePictures& pictures, torch::Device device) {
  return {pictures.reference.to(device), pictures.mask_input.to(device), pictures.units.to(device),
          pictures.frames.to(device),    pictures.masked.to(device),     pictures.keep.to(device)};
}

// How much of each pixel lies within the polygon, softened: a half on its edge.
Tensor SoftPolygon(const Landmarks& landmarks, int64_t size) {
  const Tensor polygon = 1 - Bytes(MouthPolygon(landmarks)).to(torch::kFloat32);
  const Tensor sized = at::upsample_bilinear2d(polygon, {size, size}, /*align_corners=*/false);
  return BoxMean(BoxMean(sized, size / kFeatherShare), size / kFeatherShare);
}

}  // namespace

std::shared_ptr<const EnrolledIdentity> EnrolIdentity(Model model, const Landmarks& mean_shape,
                                                      const Pixels& portrait,
                                                      const FaceInfo& info) {
  const torch::NoGradGuard no_gradients;
  const Config& config = model->config();
  const torch::Device device = model->landmarks->parameters().front().device();
  auto identity = std::make_shared<EnrolledIdentity>();
  identity->info = info;
  identity->portrait = auwarp::EnrolWithLandmarks(portrait, info);
  const Landmarks found = LandmarksOfMesh(info);
  identity->outline = PolygonOf(found);
  identity->to_crop = AlignFace(found, mean_shape);
  const Landmarks landmarks = CropLandmarks(found, identity->to_crop);
  const ByteImage crop = CropOf(portrait, identity->to_crop);

  const FacePictures pictures = PicturesOf(crop, landmarks, config);
  identity->latents = model->EncodeFace(Moved(pictures, device));
  identity->landmarks = model->landmarks(EncoderInput(landmarks, config).to(device));
  identity->reference = (pictures.reference.to(device) + 1) / 2;
  const Tensor soft = SoftPolygon(landmarks, config.image_size).to(device);
  identity->inside = (2 * soft - 1).clamp(0, 1);
  identity->seam = 4 * soft * (1 - soft);
  identity->reach = Wide(identity->seam);
  FinishWork(device);
  return identity;
}

Tensor MatchSeam(const Tensor& picture, const EnrolledIdentity& identity) {
  return MatchSeams(picture, {&identity});
}

Tensor MatchSeams(const Tensor& pictures, const std::vector<const EnrolledIdentity*>& identities) {
  constexpr double kNoSeam = 1e-6;
  const auto all = [&identities](Tensor EnrolledIdentity::*part) {
    if (identities.size() == 1) return identities.front()->*part;
    std::vector<Tensor> parts;
    for (const EnrolledIdentity* identity : identities) parts.push_back(identity->*part);
    return torch::cat(parts);
  };
  const Tensor missing =
      all(&EnrolledIdentity::seam) * (all(&EnrolledIdentity::reference) - pictures);
  return pictures + Wide(missing) / (all(&EnrolledIdentity::reach) + kNoSeam);  // [B, 3, R, R]
}

}  // namespace talkface::mftfg
