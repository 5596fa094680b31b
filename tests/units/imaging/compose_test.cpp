// SPDX-License-Identifier: MIT
// Frames against slow float references.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "models/imaging/convert_kernels.h"
#include "models/imaging/frame_writer.h"
#include "models/imaging/label.h"
#include "models/imaging/scale.h"

namespace talkface::imaging {
namespace {

constexpr PixelFormat kFormats[] = {PixelFormat::kI420, PixelFormat::kYV12, PixelFormat::kNV12,
                                    PixelFormat::kRGBA, PixelFormat::kBGRA, PixelFormat::kRGBx,
                                    PixelFormat::kBGRx, PixelFormat::kRGB,  PixelFormat::kBGR};
constexpr ColorMatrix kMatrices[] = {ColorMatrix::kBt601, ColorMatrix::kBt709, ColorMatrix::kBt2020,
                                     ColorMatrix::kSmpte240m, ColorMatrix::kFcc};
constexpr ChromaSite kSites[] = {ChromaSite::kCentered, ChromaSite::kLeftCosited,
                                 ChromaSite::kTopLeftCosited};
constexpr uint32_t kSizes[][2] = {{1, 1}, {2, 2}, {7, 5}, {33, 18}, {70, 3}, {64, 32}};
constexpr uint8_t kUntouched = 0xA5;
constexpr size_t kPadding = 13;

// Noise with runs of the extremes, where rounding and clamping show.
std::vector<uint8_t> Noise(uint32_t width, uint32_t height) {
  std::vector<uint8_t> rgba(4 * static_cast<size_t>(width) * height);
  uint32_t state = 12345;
  for (uint8_t& byte : rgba) {
    state = state * 1664525 + 1013904223;
    const uint32_t value = state >> 16;
    byte = static_cast<uint8_t>(value % 5 == 0 ? 0 : value % 5 == 1 ? 255 : value);
  }
  return rgba;
}

PixelView ViewOf(const std::vector<uint8_t>& rgba, uint32_t width, uint32_t height) {
  return {rgba.data(),
          4 * static_cast<ptrdiff_t>(width),
          {0, 0, static_cast<int>(width), static_cast<int>(height)}};
}

// A frame whose rows are followed by bytes that must stay.
struct PaddedFrame {
  explicit PaddedFrame(const TargetFormat& format) : sizes(PlanesOf(format)) {
    for (size_t i = 0; i < sizes.size(); ++i) {
      planes.emplace_back((sizes[i].row_bytes + kPadding) * sizes[i].rows, kUntouched);
      target.strides[i] = sizes[i].row_bytes + kPadding;
    }
    for (size_t i = 0; i < sizes.size(); ++i) target.planes[i] = planes[i].data();
  }
  int At(size_t plane, size_t x, size_t y) const {
    return planes[plane][y * target.strides[plane] + x];
  }
  bool PaddingUntouched() const {
    for (size_t i = 0; i < sizes.size(); ++i)
      for (size_t y = 0; y < sizes[i].rows; ++y)
        for (size_t x = 0; x < kPadding; ++x)
          if (At(i, sizes[i].row_bytes + x, y) != kUntouched) return false;
    return true;
  }
  std::vector<PlaneSize> sizes;
  std::vector<std::vector<uint8_t>> planes;
  FrameTarget target{};
};

// The mean colour of chroma sample (i, j) as its site defines it, the picture's edge repeated.
void ChromaColour(const PixelView& pixels, ChromaSite site, int i, int j, double out[3]) {
  const auto weights = [](bool cosited, int at, double w[4], int where[4]) {
    for (int k = 0; k < 4; ++k) where[k] = 2 * at - 1 + k;
    const double box[4] = {0, .5, .5, 0}, tent[4] = {.25, .5, .25, 0};
    std::copy_n(cosited ? tent : box, 4, w);
  };
  double wx[4], wy[4];
  int xs[4], ys[4];
  weights(site != ChromaSite::kCentered, i, wx, xs);
  weights(site == ChromaSite::kTopLeftCosited, j, wy, ys);
  out[0] = out[1] = out[2] = 0;
  for (int a = 0; a < 4; ++a) {
    for (int b = 0; b < 4; ++b) {
      const uint8_t* p = pixels.At(std::clamp(xs[b], 0, pixels.area.x1 - 1),
                                   std::clamp(ys[a], 0, pixels.area.y1 - 1));
      for (int c = 0; c < 3; ++c) out[c] += wy[a] * wx[b] * p[c];
    }
  }
}

struct Yuv {
  double y, u, v;
};

Yuv ToYuv(const double rgb[3], const TargetFormat& format) {
  const LumaShares share = SharesOf(format.matrix);
  const double y = share.red * rgb[0] + (1 - share.red - share.blue) * rgb[1] + share.blue * rgb[2];
  const double u = (rgb[2] - y) / (2 * (1 - share.blue)), v = (rgb[0] - y) / (2 * (1 - share.red));
  if (format.full_range) return {y, std::min(255.0, 128 + u), std::min(255.0, 128 + v)};
  return {16 + y * 219 / 255, 128 + u * 224 / 255, 128 + v * 224 / 255};
}

void ExpectYuv(const PixelView& pixels, const TargetFormat& format, const PaddedFrame& frame) {
  double worst = 0;
  for (int y = 0; y < pixels.area.y1; ++y) {
    for (int x = 0; x < pixels.area.x1; ++x) {
      const uint8_t* p = pixels.At(x, y);
      const double rgb[3] = {double(p[0]), double(p[1]), double(p[2])};
      worst = std::max(worst, std::abs(ToYuv(rgb, format).y - frame.At(0, x, y)));
    }
  }
  for (int j = 0; j < (pixels.area.y1 + 1) / 2; ++j) {
    for (int i = 0; i < (pixels.area.x1 + 1) / 2; ++i) {
      double rgb[3];
      ChromaColour(pixels, format.chroma_site, i, j, rgb);
      const Yuv wanted = ToYuv(rgb, format);
      const bool interleaved = format.format == PixelFormat::kNV12;
      const size_t u_plane = format.format == PixelFormat::kYV12 ? 2 : 1;
      const int u = interleaved ? frame.At(1, 2 * i, j) : frame.At(u_plane, i, j);
      const int v = interleaved ? frame.At(1, 2 * i + 1, j) : frame.At(3 - u_plane, i, j);
      worst = std::max({worst, std::abs(wanted.u - u), std::abs(wanted.v - v)});
    }
  }
  // Half a level of rounding, and the weights' own.
  EXPECT_LE(worst, 0.56) << pixels.area.x1 << "x" << pixels.area.y1 << " matrix "
                         << static_cast<int>(format.matrix) << " site "
                         << static_cast<int>(format.chroma_site) << " full " << format.full_range;
}

void ExpectPacked(const PixelView& pixels, const TargetFormat& format, const PaddedFrame& frame) {
  const PixelFormat f = format.format;
  const bool three = f == PixelFormat::kRGB || f == PixelFormat::kBGR;
  const bool blue_first =
      f == PixelFormat::kBGR || f == PixelFormat::kBGRA || f == PixelFormat::kBGRx;
  const bool opaque = f == PixelFormat::kRGBx || f == PixelFormat::kBGRx;
  const size_t bytes = three ? 3 : 4;
  for (int y = 0; y < pixels.area.y1; ++y) {
    for (int x = 0; x < pixels.area.x1; ++x) {
      const uint8_t* p = pixels.At(x, y);
      const size_t at = bytes * static_cast<size_t>(x);
      ASSERT_EQ(frame.At(0, at, y), p[blue_first ? 2 : 0]);
      ASSERT_EQ(frame.At(0, at + 1, y), p[1]);
      ASSERT_EQ(frame.At(0, at + 2, y), p[blue_first ? 0 : 2]);
      if (!three) {
        ASSERT_EQ(frame.At(0, at + 3, y), opaque ? 255 : p[3]);
      }
    }
  }
}

// Every format, matrix, range, site and size.
template <typename Body>
void ForEveryTarget(Body&& body) {
  for (const auto& size : kSizes)
    for (const PixelFormat format : kFormats)
      for (const ColorMatrix matrix : kMatrices)
        for (const ChromaSite site : kSites)
          for (const bool full : {false, true}) {
            if (!IsSubsampled(format) && (matrix != ColorMatrix::kBt601 || full)) continue;
            body(TargetFormat{size[0], size[1], format, matrix, site, full});
          }
}

TEST(FrameWriter, EqualsTheFloatReference) {
  ForEveryTarget([](const TargetFormat& format) {
    const std::vector<uint8_t> rgba = Noise(format.width, format.height);
    const PixelView pixels = ViewOf(rgba, format.width, format.height);
    PaddedFrame frame(format);
    const FrameWriter writer(format);
    writer.Write(pixels, writer.Frame(), frame.target);
    EXPECT_TRUE(frame.PaddingUntouched());
    if (IsSubsampled(format.format)) {
      ExpectYuv(pixels, format, frame);
    } else {
      ExpectPacked(pixels, format, frame);
    }
  });
}

TEST(FrameWriter, PartsMakeTheWhole) {
  ForEveryTarget([](const TargetFormat& format) {
    const std::vector<uint8_t> rgba = Noise(format.width, format.height);
    const PixelView pixels = ViewOf(rgba, format.width, format.height);
    const FrameWriter writer(format);
    PaddedFrame whole(format), parts(format);
    writer.Write(pixels, writer.Frame(), whole.target);
    const int width = static_cast<int>(format.width), height = static_cast<int>(format.height);
    for (int y = 0; y < height; y += 6) {
      for (int x = 0; x < width; x += 22) {
        const Rect part = writer.Align(Rect{x, y, x + 22, y + 6}.Intersect(writer.Frame()));
        // Only what Source names may be read: everything else is another picture.
        const Rect source = writer.Source(part);
        std::vector<uint8_t> copy;
        for (int row = source.y0; row < source.y1; ++row)
          copy.insert(copy.end(), pixels.At(source.x0, row),
                      pixels.At(source.x0, row) + 4 * (source.x1 - source.x0));
        writer.Write({copy.data(), 4 * static_cast<ptrdiff_t>(source.x1 - source.x0), source}, part,
                     parts.target);
      }
    }
    EXPECT_EQ(whole.planes, parts.planes);
  });
}

TEST(FrameWriter, VectorsEqualSingles) {
  const std::vector<uint8_t> rgba = Noise(97, 2);
  const YuvWeights weights = WeightsOf(ColorMatrix::kBt709, true);
  uint8_t row[97], single[97];
  LumaRow(rgba.data(), 97, weights, row);
  for (int i = 0; i < 97; ++i) LumaRow(&rgba[4 * static_cast<size_t>(i)], 1, weights, single + i);
  EXPECT_TRUE(std::equal(row, row + 97, single));
  std::vector<int16_t> sums(4 * 98, 0);
  SumRows(nullptr, rgba.data(), rgba.data() + 4 * 97, 97, sums.data() + 4);
  for (const bool cosited : {false, true}) {
    const ChromaFilter filter{cosited, cosited ? 3 : 2};
    uint8_t u[48], v[48], u1[48], v1[48];
    ChromaRow(sums.data() + 4, 48, filter, weights, u, v);
    for (int i = 0; i < 48; ++i)
      ChromaRow(sums.data() + 4 + 8 * i, 1, filter, weights, u1 + i, v1 + i);
    EXPECT_TRUE(std::equal(u, u + 48, u1));
    EXPECT_TRUE(std::equal(v, v + 48, v1));
  }
}

TEST(FrameStore, CopiesIntoAnyStride) {
  for (const PixelFormat format : kFormats) {
    const TargetFormat target{33, 18, format, ColorMatrix::kBt601, ChromaSite::kCentered, false};
    const std::vector<uint8_t> rgba = Noise(33, 18);
    const FrameWriter writer(target);
    PaddedFrame direct(target), copied(target);
    writer.Write(ViewOf(rgba, 33, 18), writer.Frame(), direct.target);
    FrameStore(writer, ViewOf(rgba, 33, 18)).CopyTo(copied.target);
    EXPECT_EQ(direct.planes, copied.planes);
  }
}

TEST(Place, KeepsTheShapeInsideBorders) {
  struct Case {
    uint32_t width, height, frame_width, frame_height;
    bool borders;
    double pixel_aspect;
    Rect wanted;
  };
  constexpr Case kCases[] = {
      {512, 512, 512, 512, true, 1, {0, 0, 512, 512}},
      {455, 701, 456, 702, true, 1, {0, 0, 456, 702}},  // made even: nothing is scaled
      {512, 512, 1280, 720, true, 1, {280, 0, 1000, 720}},
      {512, 512, 1280, 720, false, 1, {0, 0, 1280, 720}},
      {910, 1137, 640, 480, true, 1, {128, 0, 512, 480}},
      {720, 576, 720, 576, true, 16.0 / 15, {22, 0, 698, 576}},
      {1000, 500, 100, 100, true, 1, {0, 24, 100, 74}},
  };
  for (const Case& c : kCases) {
    const TargetFormat target{c.frame_width,       c.frame_height,        PixelFormat::kI420,
                              ColorMatrix::kBt601, ChromaSite::kCentered, false};
    const Rect got = Place(c.width, c.height, target, c.borders, c.pixel_aspect).rect;
    EXPECT_EQ(std::to_string(got.x0) + " " + std::to_string(got.y0) + " " + std::to_string(got.x1) +
                  " " + std::to_string(got.y1),
              std::to_string(c.wanted.x0) + " " + std::to_string(c.wanted.y0) + " " +
                  std::to_string(c.wanted.x1) + " " + std::to_string(c.wanted.y1))
        << c.width << "x" << c.height;
  }
}

TEST(Scale, NativeSizeIsACopy) {
  const std::vector<uint8_t> rgba = Noise(33, 18);
  const TargetFormat target{
      33, 18, PixelFormat::kRGBA, ColorMatrix::kBt601, ChromaSite::kCentered, false};
  const Pixels picture{rgba.data(), 33, 18, 4 * 33};
  EXPECT_EQ(Scale(picture, Place(33, 18, target, true, 1)), rgba);
}

TEST(Scale, TransparentColoursDoNotBleed) {
  std::vector<uint8_t> rgba;
  for (int i = 0; i < 40 * 40; ++i) {
    const bool seen = i % 40 < 20;
    const uint8_t pixel[4] = {uint8_t(seen ? 200 : 0), uint8_t(seen ? 10 : 255), 10,
                              uint8_t(seen ? 255 : 0)};
    rgba.insert(rgba.end(), pixel, pixel + 4);
  }
  for (const uint32_t side : {13u, 101u}) {
    const TargetFormat target{
        side, side, PixelFormat::kRGBA, ColorMatrix::kBt601, ChromaSite::kCentered, false};
    const std::vector<uint8_t> out =
        Scale({rgba.data(), 40, 40, 160}, Place(40, 40, target, true, 1));
    for (size_t i = 0; i < out.size(); i += 4) {
      if (out[i + 3] < 8) continue;  // too faint for a colour
      EXPECT_NEAR(out[i], 200, 12);
      EXPECT_NEAR(out[i + 1], 10, 12);
    }
  }
}

TEST(Label, IsReadableAndStaysInItsCorner) {
  for (const int height : {120, 512, 1080}) {
    const int width = height * 16 / 9;
    const Label label(width, height);
    EXPECT_EQ(label.area().x0, 0);
    EXPECT_EQ(label.area().y1, height);
    EXPECT_LT(label.area().x1, width);
    std::vector<uint8_t> grey(4 * static_cast<size_t>(width) * height, 128);
    for (size_t i = 3; i < grey.size(); i += 4) grey[i] = 255;
    label.Draw(grey.data(), 4 * static_cast<ptrdiff_t>(width), {0, 0, width, height});
    int white = 0, dark = 0;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const int value = grey[4 * (static_cast<size_t>(y) * width + x)];
        const bool inside = x < label.area().x1 && y >= label.area().y0;
        if (!inside) {
          ASSERT_EQ(value, 128);
        }
        white += value > 230;
        dark += value < 70;
      }
    }
    const int area = label.area().x1 * (height - label.area().y0);
    EXPECT_GT(white, area / 20);
    EXPECT_GT(dark, area / 3);
  }
}

TEST(FrameWriter, RefusesSizesItCannotMake) {
  for (const uint32_t side : {0u, 8193u}) {
    EXPECT_ANY_THROW(FrameWriter(
        {side, 16, PixelFormat::kI420, ColorMatrix::kBt601, ChromaSite::kCentered, false}));
  }
}

}  // namespace
}  // namespace talkface::imaging
