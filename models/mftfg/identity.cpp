// SPDX-License-Identifier: MIT
#include "models/mftfg/identity.h"

#include <algorithm>

#include "models/mftfg/face_inputs.h"
#include "models/mftfg/landmarks_68.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr int64_t kFeatherShare = 32;  // the feather's radius is R / 32: 3 of 112 pixels
constexpr int64_t kMatchShare = 4;     // colours are matched over R / 4

// The mean of the square around each pixel, what lies beyond the picture being 0. x [1, C, R, R].
Tensor BoxMean(const Tensor& x, int64_t radius) {
  return torch::avg_pool2d(x, 2 * radius + 1, 1, radius);
}

// The part of a picture that the aligned crop is made of, RGB over black: a double of the whole
// picture could be too large.
struct CutOut {
  int x = 0, y = 0;  // of its first pixel
  ByteImage pixels;
};

CutOut CutAround(const Pixels& picture, const Affine& to_crop) {
  constexpr int kMargin = 2;  // px, for the bilinear reading
  const double det = to_crop[0] * to_crop[4] - to_crop[1] * to_crop[3];
  double low[2] = {1e9, 1e9}, high[2] = {-1e9, -1e9};
  for (int corner = 0; corner < 4; ++corner) {
    const double u = (corner % 2) * kWarpSize - to_crop[2],
                 v = (corner / 2) * kWarpSize - to_crop[5];
    const double at[2] = {(to_crop[4] * u - to_crop[1] * v) / det,
                          (to_crop[0] * v - to_crop[3] * u) / det};
    for (int i = 0; i < 2; ++i) {
      low[i] = std::min(low[i], at[i]);
      high[i] = std::max(high[i], at[i]);
    }
  }
  const auto inside = [](double place, uint32_t size) {
    return static_cast<int>(std::clamp(place, 0.0, static_cast<double>(size)));
  };
  const int x0 = inside(low[0] - kMargin, picture.width),
            y0 = inside(low[1] - kMargin, picture.height);
  const int x1 = inside(high[0] + kMargin + 1, picture.width),
            y1 = inside(high[1] + kMargin + 1, picture.height);
  CutOut cut{x0, y0, ByteImage(std::max(x1 - x0, 1), std::max(y1 - y0, 1), 3)};
  for (int y = y0; y < y1; ++y) {
    const uint8_t* from = picture.data + static_cast<size_t>(y) * picture.stride + 4 * size_t(x0);
    uint8_t* to = cut.pixels.Row(y - y0);
    for (int x = 0; x < x1 - x0; ++x, from += 4) {
      for (int c = 0; c < 3; ++c) *to++ = static_cast<uint8_t>((from[c] * from[3] + 127) / 255);
    }
  }
  return cut;
}

ByteImage CropOf(const Pixels& picture, const Affine& to_crop) {
  const CutOut cut = CutAround(picture, to_crop);
  Affine shifted = to_crop;
  shifted[2] += to_crop[0] * cut.x + to_crop[1] * cut.y;
  shifted[5] += to_crop[3] * cut.x + to_crop[4] * cut.y;
  return CropFace(cut.pixels, shifted);
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
  return identity;
}

Tensor MatchSeam(const Tensor& picture, const EnrolledIdentity& identity) {
  constexpr double kNoSeam = 1e-6;
  const int64_t radius = picture.size(3) / kMatchShare;
  const auto wide = [radius](const Tensor& x) { return BoxMean(BoxMean(x, radius), radius); };
  const Tensor missing = identity.seam * (identity.reference - picture);  // [1, 3, R, R]
  return picture + wide(missing) / (wide(identity.seam) + kNoSeam);
}

}  // namespace talkface::mftfg
