// SPDX-License-Identifier: MIT
// j_preprocess: alignment of faces, and what the dataset makes of an aligned one.
#include "models/families/mftfg/face/face_inputs.h"
#include "tests/units/families/mftfg/parity/checks.h"
#include "tests/units/families/mftfg/parity/pictures.h"

namespace talkface::parity {
namespace {

using imaging::ByteImage;
using imaging::Landmarks;
using imaging::RealImage;

constexpr double kMatrixTolerance = 1e-9, kRealTolerance = 1e-3;
constexpr double kMatrixRounded = 2e-5;  // a float32 reference of numbers up to 256
constexpr int kSize = 112, kLatentSize = 28;

void CheckAlignment(Reference* reference) {
  const Landmarks mean_shape = PointsOf(reference->Get("in/mean_shape67"));
  const ByteImage frame = ImageOf(reference->Get("in/frame_bgr"));
  for (int i = 0; reference->Has("in/align" + std::to_string(i) + "_landmarks"); ++i) {
    const std::string name = "align" + std::to_string(i);
    const Landmarks landmarks = PointsOf(reference->Get("in/" + name + "_landmarks"));
    const imaging::Affine similarity = imaging::AlignFace(landmarks, mean_shape);
    const torch::Tensor matrix =
        torch::tensor(at::ArrayRef<double>(similarity), torch::kFloat64).view({2, 3});
    reference->Compare("out/" + name + "_M_f64", matrix, kMatrixTolerance);
    reference->Compare("out/" + name + "_M", matrix, kMatrixRounded);
    const RealImage warped = imaging::WarpFace(frame, similarity);
    const torch::Tensor rows = Values(warped).slice(0, 100, 116);
    reference->Compare("mid/" + name + "_warp224_rows100_116", rows, kRealTolerance);
    const torch::Tensor eighth = Values(imaging::ShrinkFace(warped)).slice(0, 0, {}, 8);
    reference->Compare("mid/" + name + "_crop128_float", eighth, kRealTolerance);
    const ByteImage crop = imaging::CropFace(frame, similarity);
    reference->Compare("out/" + name + "_crop128_bgr", Values(crop), kExact);
  }
}

void CheckFaces(Reference* reference) {
  const torch::Tensor pictures = reference->Get("in/ds_rgb128");        // [N, 128, 128, 3]
  const torch::Tensor landmarks = reference->Get("in/ds_landmarks68");  // [N, 68, 2]
  std::vector<torch::Tensor> polygons, images, image_masks, encoder, all, masks;
  for (int64_t i = 0; i < pictures.size(0); ++i) {
    const Landmarks points = PointsOf(landmarks[i]);
    const ByteImage image = mftfg::ReferenceImage(ImageOf(pictures[i]), kSize);
    polygons.push_back(Values(mftfg::MouthPolygon(points)).squeeze(-1));
    images.push_back(Values(image));
    image_masks.push_back(Values(mftfg::ImageMask(image, points)));
    encoder.push_back(torch::tensor(mftfg::EncoderLandmarks(points, kSize)).view({-1, 2}));
    all.push_back(landmarks[i].to(torch::kFloat64) / (1.0 * imaging::kCropSize / kSize));
    masks.push_back(Values(mftfg::InferenceMask(points, kLatentSize)).squeeze(-1));
    if (i > 0) continue;
    const torch::Tensor planar = torch::tensor(mftfg::Normalised(image)).view({3, kSize, kSize});
    reference->Compare("out/ds_image112_norm_frame0", planar.permute({1, 2, 0}), kExact);
  }
  reference->Compare("mid/ds_polymask128", torch::stack(polygons), kExact);
  reference->Compare("out/ds_image112", torch::stack(images), kExact);
  reference->Compare("out/ds_image_mask112", torch::stack(image_masks), kExact);
  reference->Compare("out/ds_landmarks39", torch::stack(encoder), kMatrixRounded);
  reference->Compare("out/ds_landmarks_all", torch::stack(all), kMatrixRounded);
  reference->Compare("out/ds_inference_mask28", torch::stack(masks), kExact);
}

}  // namespace

void CheckPreprocess(Reference* reference) {
  CheckAlignment(reference);
  CheckFaces(reference);
  const ByteImage crop = ImageOf(reference->Get("in/mask_rgb128_cv2"));
  reference->Compare("mid/mask_rgb112_cv2", Values(mftfg::MaskPicture(crop, kSize)), kExact);
  const torch::Tensor input = torch::tensor(mftfg::MaskInput(crop, kSize)).view({3, kSize, kSize});
  reference->Compare("out/mask_input", input, 1e-6);

  const torch::Tensor row = reference->Get("in/csv_row").contiguous();
  const float* numbers = row.data_ptr<float>();
  const mftfg::OpenFaceUnits units =
      mftfg::UnitsOfOpenFace(std::vector<float>(numbers, numbers + row.numel()));
  reference->Compare("out/au_intensity", torch::tensor(at::ArrayRef<float>(units.intensity)),
                     kExact);
  reference->Compare("out/au_presence", torch::tensor(at::ArrayRef<float>(units.presence)), kExact);
}

}  // namespace talkface::parity
