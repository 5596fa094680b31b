// SPDX-License-Identifier: MIT
#include "models/families/mftfg/face/pasted_face.h"

#include <algorithm>
#include <cmath>

#include "models/imaging/feathered_paste.h"

namespace talkface::mftfg {
namespace {

using imaging::Rect;
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
Rect BoxOf(const imaging::Landmarks& outline, const imaging::Placement& placement) {
  double x0 = 1e9, y0 = 1e9, x1 = -1e9, y1 = -1e9;
  for (const imaging::Point& p : outline) {
    const double x = placement.rect.x0 + (p.x + 0.5) * placement.scale_x;
    const double y = placement.rect.y0 + (p.y + 0.5) * placement.scale_y;
    x0 = std::min(x0, x), x1 = std::max(x1, x);
    y0 = std::min(y0, y), y1 = std::max(y1, y);
  }
  return {static_cast<int>(std::floor(x0)), static_cast<int>(std::floor(y0)),
          static_cast<int>(std::ceil(x1)), static_cast<int>(std::ceil(y1))};
}

// Where in the aligned crop the pixels of `area` lie.
Tensor GridOf(const Rect& area, const imaging::Placement& placement,
              const imaging::Affine& to_crop) {
  Tensor grid = torch::empty({1, area.y1 - area.y0, area.x1 - area.x0, 2});
  float* at = grid.data_ptr<float>();
  const auto unit = [](double place) {  // of the 224-pixel picture, to -1..1 between its edges
    return static_cast<float>((2 * place + 1) / imaging::kWarpSize - 1);
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

PastedFace::PastedFace(const EnrolledIdentity& identity, const portrait::MouthSite& site)
    : identity_(identity) {
  const torch::NoGradGuard no_gradients;
  place_.area = BoxOf(identity.outline, site.placement)
                    .Intersect(site.placement.rect)
                    .Intersect(site.skin.area());
  if (place_.area.Empty()) return;
  place_.places =
      GridOf(place_.area, site.placement, identity.to_crop).to(identity.inside.device());
  place_.shares =
      ReadAt(identity.inside, place_.places, kBilinearInZeros)[0][0].cpu().contiguous();  // [h, w]
}

// What moves, with the generated face in it.
const portrait::Patch* PastedFace::Repaint(const portrait::MouthMotion& motion,
                                           const portrait::Patch& own,
                                           portrait::Patch* scratch) const {
  const auto& pasted = static_cast<const PastedMotion&>(motion);
  if (pasted.painted != nullptr) return pasted.painted;
  if (!pasted.face.picture.defined() || place_.area.Empty()) return nullptr;
  const Tensor matched = nets::MatchSeams(pasted.face.picture, {&identity_.seam});  // [1, 3, R, R]
  const Tensor read = ReadAt(matched, place_.places, kBicubicInBorder)[0] * 255;    // [3, h, w]
  const Tensor colours = read.clamp(0, 255).permute({1, 2, 0}).cpu().contiguous();
  const float* colour = colours.const_data_ptr<float>();
  const float* share = place_.shares.const_data_ptr<float>();
  const Rect& area = place_.area;
  const int width = area.x1 - area.x0;
  *scratch = own;
  for (int y = area.y0; y < area.y1; ++y, colour += 3 * width, share += width)
    imaging::PasteRow(colour, share, pasted.face.shown, width, scratch->At(area.x0, y));
  scratch->RepeatEdge();
  return scratch;
}

}  // namespace talkface::mftfg
