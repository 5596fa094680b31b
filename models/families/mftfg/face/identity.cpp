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

using imaging::Rect;
using torch::Tensor;

constexpr int64_t kFeatherShare = 32;  // the feather's radius is R / 32: 3 of 112 pixels

// The pixels of the portrait that the aligned crop is made of.
Rect ReachOf(const imaging::Affine& to_crop) {
  constexpr double kMargin = 2;  // px, for the bilinear reading
  const double det = to_crop[0] * to_crop[4] - to_crop[1] * to_crop[3];
  double low[2] = {1e6, 1e6}, high[2] = {-1e6, -1e6};
  for (int corner = 0; corner < 4; ++corner) {
    const double u = (corner % 2) * imaging::kWarpSize - to_crop[2];
    const double v = (corner / 2) * imaging::kWarpSize - to_crop[5];
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
imaging::ByteImage CutOut(const Pixels& picture, const Rect& area) {
  imaging::ByteImage cut(area.x1 - area.x0, area.y1 - area.y0, 3);
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
imaging::ByteImage CropOf(const Pixels& picture, const imaging::Affine& to_crop) {
  const Rect whole{0, 0, static_cast<int>(picture.width), static_cast<int>(picture.height)};
  const Rect area = ReachOf(to_crop).Intersect(whole);
  if (area.Empty()) throw Error(Code::kNoFace, "The face lies outside of the picture.");
  imaging::Affine shifted = to_crop;
  shifted[2] += to_crop[0] * area.x0 + to_crop[1] * area.y0;
  shifted[5] += to_crop[3] * area.x0 + to_crop[4] * area.y0;
  return imaging::CropFace(CutOut(picture, area), shifted);
}

// Planar values as a batch of one picture.
Tensor Planes(const std::vector<float>& values, int64_t size) {
  return torch::tensor(values).view({1, -1, size, size});
}

Tensor Bytes(const imaging::ByteImage& image) {  // [1, 1, H, W] of one channel
  return torch::tensor(image.values, torch::kUInt8).view({1, 1, image.height, image.width});
}

Tensor EncoderInput(const imaging::Landmarks& landmarks, const Config& config) {  // [1, 1, 39, 2]
  const auto rows = config.official()
                        ? EncoderLandmarks(landmarks, static_cast<int>(config.image_size))
                        : NormalisedLandmarks(landmarks);
  return torch::tensor(rows).view({1, 1, kLandmarks, 2});
}

FacePictures PicturesOf(const imaging::ByteImage& crop, const imaging::Landmarks& landmarks,
                        const Config& config) {
  const int size = static_cast<int>(config.image_size);
  const imaging::ByteImage reference = ReferenceImage(crop, size);
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
Tensor SoftPolygon(const imaging::Landmarks& landmarks, int64_t size) {
  const Tensor polygon = 1 - Bytes(MouthPolygon(landmarks)).to(torch::kFloat32);
  const Tensor sized = at::upsample_bilinear2d(polygon, {size, size}, /*align_corners=*/false);
  return nets::BoxMean(nets::BoxMean(sized, size / kFeatherShare), size / kFeatherShare);
}

}  // namespace

std::shared_ptr<const EnrolledIdentity> EnrolIdentity(Model model,
                                                      const imaging::Landmarks& mean_shape,
                                                      const Pixels& portrait,
                                                      const FaceInfo& info) {
  const torch::NoGradGuard no_gradients;
  const Config& config = model->config();
  const torch::Device device = model->landmarks->parameters().front().device();
  auto identity = std::make_shared<EnrolledIdentity>();
  identity->info = info;
  identity->portrait = portrait::EnrolWithLandmarks(portrait, info);
  const imaging::Landmarks found = LandmarksOfMesh(info);
  identity->outline = PolygonOf(found);
  identity->to_crop = imaging::AlignFace(found, mean_shape);
  const imaging::Landmarks landmarks = imaging::CropLandmarks(found, identity->to_crop);
  const imaging::ByteImage crop = CropOf(portrait, identity->to_crop);

  const FacePictures pictures = PicturesOf(crop, landmarks, config);
  identity->latents = model->EncodeFace(Moved(pictures, device));
  identity->landmarks = model->landmarks(EncoderInput(landmarks, config).to(device));
  const Tensor soft = SoftPolygon(landmarks, config.image_size).to(device);
  identity->inside = (2 * soft - 1).clamp(0, 1);
  identity->seam = nets::MakeSeam((pictures.reference.to(device) + 1) / 2, 4 * soft * (1 - soft));
  nets::FinishWork(device);
  return identity;
}

}  // namespace talkface::mftfg
