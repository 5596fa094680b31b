// SPDX-License-Identifier: MIT
#include "models/imaging/resample.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace talkface::imaging {
namespace {

// ---- Pillow: src/libImaging/Resample.c

constexpr int kPillowBits = 22;
constexpr double kBicubicSupport = 2.0;

double Bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

struct Taps {
  int first;
  std::vector<int32_t> weights;  // 22 bits after the point
};

std::vector<Taps> BicubicTaps(int from, int to) {
  const double scale = static_cast<double>(from) / to, widen = std::max(scale, 1.0);
  const double support = kBicubicSupport * widen;
  std::vector<Taps> all;
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int end = std::min(static_cast<int>(centre + support + 0.5), from);
    std::vector<double> weights;
    double sum = 0;
    for (int x = first; x < end; ++x) {
      weights.push_back(Bicubic((x - centre + 0.5) * (1.0 / widen)));
      sum += weights.back();
    }
    Taps taps{first, {}};
    for (double weight : weights) {
      const double scaled = weight / sum * (1 << kPillowBits);
      taps.weights.push_back(static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
    }
    all.push_back(std::move(taps));
  }
  return all;
}

// One value: `stride` lies between the pixels.
uint8_t Gather(const uint8_t* from, size_t stride, const Taps& taps) {
  int32_t sum = 1 << (kPillowBits - 1);
  from += taps.first * stride;
  for (size_t i = 0; i < taps.weights.size(); ++i) sum += from[i * stride] * taps.weights[i];
  return static_cast<uint8_t>(std::clamp(sum >> kPillowBits, 0, 255));
}

// ---- OpenCV: modules/imgproc/src/resize.cpp

struct LinearTap {
  int first, second;
  float second_share;
};

// Beyond the first and last pixel's centres there is one pixel only. OpenCV gives it all of the
// weight along a row, but two shares between rows, which are rounded one by one.
std::vector<LinearTap> LinearTaps(int from, int to, bool along_row) {
  const double scale = 1.0 / (static_cast<double>(to) / from);
  std::vector<LinearTap> taps;
  for (int i = 0; i < to; ++i) {
    const float place = static_cast<float>((i + 0.5) * scale - 0.5);
    const int first = static_cast<int>(std::floor(place));
    const bool beyond = first < 0 || first >= from - 1;
    const float share = beyond && along_row ? 0.0f : place - static_cast<float>(first);
    taps.push_back({std::clamp(first, 0, from - 1), std::clamp(first + 1, 0, from - 1), share});
  }
  return taps;
}

// The two ways to blend: Pair is along a row, Result between rows.
struct ByteBlend {
  using Value = uint8_t;
  using Sum = int32_t;
  static constexpr float kOne = 2048.0f;
  static int32_t Weight(float share) { return static_cast<int32_t>(std::nearbyint(share * kOne)); }
  static int32_t Pair(uint8_t a, uint8_t b, float share) {
    return a * Weight(1.0f - share) + b * Weight(share);
  }
  static uint8_t Result(int32_t a, int32_t b, float share) {
    const int32_t upper = (Weight(1.0f - share) * (a >> 4)) >> 16;
    const int32_t lower = (Weight(share) * (b >> 4)) >> 16;
    return static_cast<uint8_t>((upper + lower + 2) >> 2);
  }
};

struct RealBlend {
  using Value = double;
  using Sum = double;
  static double Pair(double a, double b, float share) {
    return a * static_cast<double>(1.0f - share) + b * static_cast<double>(share);
  }
  static double Result(double a, double b, float share) { return Pair(a, b, share); }
};

template <typename Blend>
Image<typename Blend::Value> Bilinear(const Image<typename Blend::Value>& image, int width,
                                      int height) {
  const std::vector<LinearTap> across = LinearTaps(image.width, width, /*along_row=*/true);
  const std::vector<LinearTap> down = LinearTaps(image.height, height, /*along_row=*/false);
  const int channels = image.channels;
  const auto blend_row = [&](int y) {
    std::vector<typename Blend::Sum> row;
    for (const LinearTap& tap : across) {
      for (int c = 0; c < channels; ++c) {
        row.push_back(Blend::Pair(image.Row(y)[tap.first * channels + c],
                                  image.Row(y)[tap.second * channels + c], tap.second_share));
      }
    }
    return row;
  };
  Image<typename Blend::Value> result(width, height, channels);
  for (int y = 0; y < height; ++y) {
    const auto upper = blend_row(down[y].first), lower = blend_row(down[y].second);
    for (size_t i = 0; i < upper.size(); ++i)
      result.Row(y)[i] = Blend::Result(upper[i], lower[i], down[y].second_share);
  }
  return result;
}

// ---- OpenCV: modules/imgproc/src/imgwarp.cpp

constexpr int kPlaceBits = 5;  // places are rounded to 1/32 px
constexpr int kSumBits = 10;   // after sums of terms that were rounded to 1/1024 px

Affine Inverse(const Affine& m) {
  double determinant = m[0] * m[4] - m[1] * m[3];
  determinant = determinant != 0 ? 1.0 / determinant : 0.0;
  Affine inverse = {m[4] * determinant,  -m[1] * determinant, 0,
                    -m[3] * determinant, m[0] * determinant,  0};
  inverse[2] = -inverse[0] * m[2] - inverse[1] * m[5];
  inverse[5] = -inverse[3] * m[2] - inverse[4] * m[5];
  return inverse;
}

int32_t ForSums(double value) {
  const double scaled = std::nearbyint(value * (1 << kSumBits));
  return static_cast<int32_t>(std::clamp(scaled, -2147483648.0, 2147483647.0));
}

// The four pixels around (x, y) in 1/32 px, weighted.
double Between(const RealImage& image, int64_t x, int64_t y, int channel, double border) {
  constexpr int64_t kUnits = 1 << kPlaceBits;
  const int64_t left = x >> kPlaceBits, top = y >> kPlaceBits;
  const auto pixel = [&](int64_t px, int64_t py) {
    const bool inside = px >= 0 && py >= 0 && px < image.width && py < image.height;
    return inside ? image.Row(static_cast<int>(py))[px * image.channels + channel] : border;
  };
  const double fx = static_cast<double>(x & (kUnits - 1)) / kUnits;
  const double fy = static_cast<double>(y & (kUnits - 1)) / kUnits;
  return pixel(left, top) * ((1 - fy) * (1 - fx)) + pixel(left + 1, top) * ((1 - fy) * fx) +
         pixel(left, top + 1) * (fy * (1 - fx)) + pixel(left + 1, top + 1) * (fy * fx);
}

// ---- OpenCV: modules/imgproc/src/drawing.cpp

constexpr int kEdgeBits = 16;

// -1, 0 or 1: before, inside or behind 0 to `last`.
int Side(int place, int last) { return place < 0 ? -1 : place > last ? 1 : 0; }

// Moves `end` along the line to `far` until its coordinate `along` is 0 to `last`.
void ClipEnd(int PixelPoint::*along, int PixelPoint::*across, int last, const PixelPoint& far,
             PixelPoint* end) {
  const int side = Side(end->*along, last);
  if (side == 0) return;
  const int edge = side < 0 ? 0 : last;
  const double share = static_cast<double>(edge - end->*along) * (far.*across - end->*across);
  end->*across += static_cast<int>(share / (far.*along - end->*along));
  end->*along = edge;
}

// clipLine: the part of a line inside the image; false where there is none.
bool Clip(const ByteImage& image, PixelPoint* a, PixelPoint* b) {
  const int right = image.width - 1, bottom = image.height - 1;
  const auto beside = [](int p, int q, int last) {
    return Side(p, last) != 0 && Side(p, last) == Side(q, last);
  };
  if (beside(a->x, b->x, right) || beside(a->y, b->y, bottom)) return false;
  ClipEnd(&PixelPoint::y, &PixelPoint::x, bottom, *b, a);
  ClipEnd(&PixelPoint::y, &PixelPoint::x, bottom, *a, b);
  if (beside(a->x, b->x, right)) return false;
  ClipEnd(&PixelPoint::x, &PixelPoint::y, right, *b, a);
  ClipEnd(&PixelPoint::x, &PixelPoint::y, right, *a, b);
  return true;
}

// A line with both ends, 8-connected: one pixel for each step along the longer side.
void DrawLine(PixelPoint from, PixelPoint to, uint8_t value, ByteImage* image) {
  if (!Clip(*image, &from, &to)) return;
  if (to.x < from.x) std::swap(from, to);
  const int dx = to.x - from.x, dy = std::abs(to.y - from.y), step_y = to.y < from.y ? -1 : 1;
  const bool steep = dy > dx;
  const int longer = steep ? dy : dx, shorter = steep ? dx : dy;
  int error = longer - 2 * shorter;
  for (int i = 0; i <= longer; ++i) {
    image->Row(from.y)[from.x] = value;
    const bool both = error < 0;
    error += both ? 2 * longer - 2 * shorter : -2 * shorter;
    if (both || !steep) ++from.x;
    if (both || steep) from.y += step_y;
  }
}

struct Edge {
  int top, bottom;  // rows; the bottom one is the next edge's
  int64_t x, dx;    // at the top, and a row further, 16 bits after the point
};

// The slope is that of the line inside the image, where it has one.
Edge EdgeOf(const ByteImage& image, const PixelPoint& from, const PixelPoint& to) {
  PixelPoint a = from, b = to;
  Clip(image, &a, &b);
  if (a.y == b.y) a.y = from.y, b.y = to.y;
  const int64_t dx = (static_cast<int64_t>(b.x) - a.x) * (1 << kEdgeBits) / (b.y - a.y);
  const bool down = from.y < to.y;
  const PixelPoint& top = down ? from : to;
  const PixelPoint& known = down ? a : b;
  const int64_t x = static_cast<int64_t>(known.x) * (1 << kEdgeBits);
  return {top.y, down ? to.y : from.y, x + (static_cast<int64_t>(top.y) - known.y) * dx, dx};
}

}  // namespace

ByteImage ResizeBicubic(const ByteImage& image, int width, int height) {
  const std::vector<Taps> across = BicubicTaps(image.width, width);
  const std::vector<Taps> down = BicubicTaps(image.height, height);
  const size_t channels = static_cast<size_t>(image.channels);
  ByteImage narrow(width, image.height, image.channels);
  for (int y = 0; y < image.height; ++y) {
    for (size_t i = 0; i < width * channels; ++i)
      narrow.Row(y)[i] = Gather(image.Row(y) + i % channels, channels, across[i / channels]);
  }
  ByteImage result(width, height, image.channels);
  for (int y = 0; y < height; ++y) {
    for (size_t i = 0; i < width * channels; ++i)
      result.Row(y)[i] = Gather(narrow.Row(0) + i, width * channels, down[y]);
  }
  return result;
}

ByteImage ResizeBilinear(const ByteImage& image, int width, int height) {
  return Bilinear<ByteBlend>(image, width, height);
}

RealImage ResizeBilinear(const RealImage& image, int width, int height) {
  return Bilinear<RealBlend>(image, width, height);
}

RealImage WarpAffine(const RealImage& image, const Affine& forward, int width, int height,
                     double border) {
  const Affine back = Inverse(forward);
  constexpr int64_t kHalf = 1 << (kSumBits - kPlaceBits - 1);
  RealImage result(width, height, image.channels);
  for (int y = 0; y < height; ++y) {
    const int64_t row_x = ForSums(back[1] * y + back[2]) + kHalf;
    const int64_t row_y = ForSums(back[4] * y + back[5]) + kHalf;
    for (int x = 0; x < width; ++x) {
      const int64_t from_x = (row_x + ForSums(back[0] * x)) >> (kSumBits - kPlaceBits);
      const int64_t from_y = (row_y + ForSums(back[3] * x)) >> (kSumBits - kPlaceBits);
      for (int c = 0; c < image.channels; ++c)
        result.Row(y)[x * image.channels + c] = Between(image, from_x, from_y, c, border);
    }
  }
  return result;
}

void FillPolygon(const std::vector<PixelPoint>& corners, uint8_t value, ByteImage* image) {
  std::vector<Edge> edges;
  for (size_t i = 0; i < corners.size(); ++i) {
    const PixelPoint &from = corners[i], &to = corners[(i + 1) % corners.size()];
    DrawLine(from, to, value, image);
    if (from.y != to.y) edges.push_back(EdgeOf(*image, from, to));
  }
  for (int y = 0; y < image->height; ++y) {
    std::vector<int64_t> crossings;
    for (const Edge& edge : edges) {
      if (y >= edge.top && y < edge.bottom) crossings.push_back(edge.x + (y - edge.top) * edge.dx);
    }
    std::sort(crossings.begin(), crossings.end());
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
      const int64_t next = crossings[i] + (1 << kEdgeBits) - 1;  // the outline has the pixel before
      const int64_t first = std::max<int64_t>(next >> kEdgeBits, 0);
      const int64_t last = std::min<int64_t>(crossings[i + 1] >> kEdgeBits, image->width - 1);
      if (first <= last) std::fill(image->Row(y) + first, image->Row(y) + last + 1, value);
    }
  }
}

}  // namespace talkface::imaging
