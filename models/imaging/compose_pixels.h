// SPDX-License-Identifier: MIT
// A frame with a generated face, pixel by pixel: what FaceScene::Draw does to frames without a
// blink, as functions that CUDA's kernels (cuda/compose_kernels.cu) and a CPU
// (frame_compositor.h) call alike. Four passes, each over all of its pixels before the next:
//   PastePixel   the picture's colours, read bicubically, into the portrait at rest
//   DoublePixel  a pixel between every two, for small faces (portrait::Patch::FillDoubled)
//   MovePixel    read through the head's motion (PortraitScene::WarpLine)
//   WritePixel   the frame's format (imaging::FrameWriter)
// All but the first are integers: equal to the bit everywhere. The first is equal to the bit
// between CPU and CUDA where products and sums are not fused, and up to rounding to libtorch's.
#pragma once

#include <cmath>
#include <cstdint>

#include "models/imaging/frame_writer.h"

#ifdef __CUDACC__
#define TALKFACE_BOTH __host__ __device__ inline
#else
#define TALKFACE_BOTH inline
#endif

namespace talkface::imaging {

// Four-byte pixels of `area`; a row takes `stride` bytes.
struct PixelRows {
  const uint8_t* data = nullptr;
  int stride = 0;
  Rect area;
};

// What does not change from frame to frame. Pointers are to memory of the device that composes.
struct ComposeScene {
  PixelRows portrait;  // at rest, where something moves; its last row and column repeated once
  PixelRows frame;     // the still frame there and a little around
  Rect face;           // of it, the pixels that the picture reaches
  const float* places = nullptr;  // [h, w, 2] of `face`: where in the picture, -1..1
  const float* shares = nullptr;  // [h, w]: how much of a pixel is the picture
  int picture_size = 0;           // R
  bool doubled = false;
  Rect moving;  // of the frame, what is read through the grid
  int node_x0 = 0, node_y0 = 0, log2_step = 0, columns = 0, rows = 0;  // the grid's nodes
  Rect drawn;   // what is written: whole chroma samples
  Rect source;  // what that reads
  int frame_width = 0, frame_height = 0;
  PixelFormat format = PixelFormat::kRGBA;
  bool subsampled = false, cosited = false, top_sited = false;
  YuvWeights weights{};
};

struct ComposeJob {
  ComposeScene scene;
  const float* picture = nullptr;  // [3, R, R], 0..1
  float shown = 0;
  const int32_t *node_x = nullptr, *node_y = nullptr;  // of each node, its move in 1/256 pixel
  uint8_t* pasted = nullptr;                           // as `portrait`
  uint8_t* doubled = nullptr;  // rows of twice the pixels without the repeated ones; or none
  uint8_t* moved = nullptr;    // of `source`
  uint8_t* out = nullptr;      // of `drawn`: plane after plane in the format's order, without gaps
};

TALKFACE_BOTH int Clamped(int value, int low, int high) {
  return value < low ? low : value > high ? high : value;
}
TALKFACE_BOTH int Width(const Rect& rect) { return rect.x1 - rect.x0; }
TALKFACE_BOTH int Height(const Rect& rect) { return rect.y1 - rect.y0; }

// Keys' kernel with a = -0.75, for the four pixels around a place `t` behind the second one.
TALKFACE_BOTH void CubicWeights(float t, float* weights) {
  const float a = -0.75f, u = 1.0f - t, far = t + 1.0f, behind = u + 1.0f;
  weights[0] = ((a * far - 5.0f * a) * far + 8.0f * a) * far - 4.0f * a;
  weights[1] = ((a + 2.0f) * t - (a + 3.0f)) * t * t + 1.0f;
  weights[2] = ((a + 2.0f) * u - (a + 3.0f)) * u * u + 1.0f;
  weights[3] = ((a * behind - 5.0f * a) * behind + 8.0f * a) * behind - 4.0f * a;
}

// A plane [R, R] at a place in -1..1, as at::grid_sampler_2d reads it (bicubic, border).
TALKFACE_BOTH float ReadBicubic(const float* plane, int size, const float* place) {
  const float sides = static_cast<float>(size);
  const float x = ((place[0] + 1.0f) * sides - 1.0f) / 2.0f;
  const float y = ((place[1] + 1.0f) * sides - 1.0f) / 2.0f;
  const float left = floorf(x), top = floorf(y);
  float across[4], down[4];
  CubicWeights(x - left, across);
  CubicWeights(y - top, down);
  float sum = 0;
  for (int j = 0; j < 4; ++j) {
    const float* row = plane + Clamped(static_cast<int>(top) + j - 1, 0, size - 1) * size;
    float line = 0;
    for (int i = 0; i < 4; ++i)
      line += row[Clamped(static_cast<int>(left) + i - 1, 0, size - 1)] * across[i];
    sum += line * down[j];
  }
  return sum;
}

// Pixel (i, j) of `pasted`, counted from the portrait's first.
TALKFACE_BOTH void PastePixel(const ComposeJob& job, int i, int j) {
  const ComposeScene& scene = job.scene;
  const PixelRows& portrait = scene.portrait;
  const int column = Clamped(i, 0, Width(portrait.area) - 1);
  const int row = Clamped(j, 0, Height(portrait.area) - 1);
  const uint8_t* own = portrait.data + row * portrait.stride + 4 * column;
  uint8_t* out = job.pasted + j * portrait.stride + 4 * i;
  for (int c = 0; c < 4; ++c) out[c] = own[c];
  const int x = portrait.area.x0 + column - scene.face.x0;
  const int y = portrait.area.y0 + row - scene.face.y0;
  if (x < 0 || y < 0 || x >= Width(scene.face) || y >= Height(scene.face)) return;
  const int at = y * Width(scene.face) + x;
  const float mixed = scene.shares[at] * job.shown;
  const int plane = scene.picture_size * scene.picture_size;
  for (int c = 0; c < 3; ++c) {
    float colour =
        255.0f * ReadBicubic(job.picture + c * plane, scene.picture_size, scene.places + 2 * at);
    colour = colour < 0.0f ? 0.0f : colour > 255.0f ? 255.0f : colour;
    const float was = static_cast<float>(own[c]);
    out[c] = static_cast<uint8_t>(rintf(was + mixed * (colour - was)));
  }
}

// H.264's half samples.
TALKFACE_BOTH int HalfSampleOf(const int* six) {
  const int sum = six[0] - 5 * six[1] + 20 * six[2] + 20 * six[3] - 5 * six[4] + six[5] + 16;
  return Clamped(sum >> 5, 0, 255);
}

// Channel `c` of the pixel at half column `x` (even: a pixel of its own) of a row of `pasted`.
TALKFACE_BOTH int DoubledInRow(const ComposeJob& job, int x, int row, int c) {
  const PixelRows& portrait = job.scene.portrait;
  const uint8_t* pixels = job.pasted + row * portrait.stride + c;
  if (x % 2 == 0) return pixels[4 * (x / 2)];
  int six[6];
  for (int k = 0; k < 6; ++k)
    six[k] = pixels[4 * Clamped(x / 2 + k - 2, 0, Width(portrait.area) - 1)];
  return HalfSampleOf(six);
}

// Pixel (x, y) of `doubled`.
TALKFACE_BOTH void DoublePixel(const ComposeJob& job, int x, int y) {
  const Rect& area = job.scene.portrait.area;
  uint8_t* out = job.doubled + 4 * (y * 2 * Width(area) + x);
  for (int c = 0; c < 4; ++c) {
    int six[6];
    for (int k = 0; k < 6; ++k) {
      if (y % 2 == 0 && k != 2) continue;
      six[k] = DoubledInRow(job, x, Clamped(y / 2 + k - 2, 0, Height(area) - 1), c);
    }
    out[c] = static_cast<uint8_t>(y % 2 == 0 ? six[2] : HalfSampleOf(six));
  }
}

// Between the nodes around pixel (x, y): its own place, and how far it is moved, in 1/256 pixel.
TALKFACE_BOTH int PlaceBetween(const ComposeScene& scene, const int32_t* nodes, int x, int y) {
  const int log2 = scene.log2_step, step = 1 << log2;
  const int i = (x - scene.node_x0) >> log2, j = (y - scene.node_y0) >> log2;
  const int right = (x - scene.node_x0) & (step - 1), down = (y - scene.node_y0) & (step - 1);
  const int32_t* at = nodes + j * scene.columns + i;
  const int32_t* below = at + scene.columns;
  const int32_t first = at[0] * (step - down) + below[0] * down;
  const int32_t second = at[1] * (step - down) + below[1] * down;
  return (first * step + (1 << (2 * log2 - 1)) + (second - first) * right) >> (2 * log2);
}

// Pixel (x, y) of the frame, into `moved`.
TALKFACE_BOTH void MovePixel(const ComposeJob& job, int x, int y) {
  const ComposeScene& scene = job.scene;
  const Rect &moving = scene.moving, &area = scene.portrait.area;
  uint8_t* out =
      job.moved + 4 * ((y - scene.source.y0) * Width(scene.source) + x - scene.source.x0);
  if (x < moving.x0 || y < moving.y0 || x >= moving.x1 || y >= moving.y1) {
    const PixelRows& frame = scene.frame;
    const uint8_t* own = frame.data + (y - frame.area.y0) * frame.stride + 4 * (x - frame.area.x0);
    for (int c = 0; c < 4; ++c) out[c] = own[c];
    return;
  }
  const int zoom = scene.doubled ? 1 : 0;
  const int stride = scene.doubled ? 8 * Width(area) : scene.portrait.stride;
  const int from_x = 256 * (x - area.x0) + PlaceBetween(scene, job.node_x, x, y);
  const int from_y = 256 * (y - area.y0) + PlaceBetween(scene, job.node_y, x, y);
  const int px = (Clamped(from_x, 0, 256 * (Width(area) - 1)) << zoom) + 2;
  const int py = (Clamped(from_y, 0, 256 * (Height(area) - 1)) << zoom) + 2;
  const uint8_t* at =
      (scene.doubled ? job.doubled : job.pasted) + (py >> 8) * stride + 4 * (px >> 8);
  const int a = (px >> 2) & 63, b = (py >> 2) & 63;
  for (int c = 0; c < 4; ++c) {
    const int upper = at[c] * (64 - a) + at[c + 4] * a;
    const int lower = at[stride + c] * (64 - a) + at[stride + c + 4] * a;
    const int value = upper + ((((lower - upper) * b * 512 >> 14) + 1) >> 1);
    out[c] = static_cast<uint8_t>((value + 32) >> 6);
  }
}

// Pixel (x, y) of `moved`; beyond the frame its edge repeats.
TALKFACE_BOTH const uint8_t* MovedAt(const ComposeJob& job, int x, int y) {
  const ComposeScene& scene = job.scene;
  x = Clamped(x, 0, scene.frame_width - 1);
  y = Clamped(y, 0, scene.frame_height - 1);
  return job.moved + 4 * ((y - scene.source.y0) * Width(scene.source) + x - scene.source.x0);
}

TALKFACE_BOTH uint8_t Weighted(const int16_t* weights, const int* rgb, int bias, int shift) {
  const int sum = weights[0] * rgb[0] + weights[1] * rgb[1] + weights[2] * rgb[2] + bias;
  return static_cast<uint8_t>(Clamped(sum >> shift, 0, 255));
}

// The chroma sample of the 2 x 2 pixels whose first is (x, y).
TALKFACE_BOTH void WriteChroma(const ComposeJob& job, int x, int y) {
  const ComposeScene& scene = job.scene;
  const int shift = 15 + 2 + (scene.cosited ? 1 : 0) + (scene.top_sited ? 1 : 0);
  const int bias = (128 << shift) + (1 << (shift - 1));
  int rgb[3] = {0, 0, 0};
  for (int j = scene.top_sited ? -1 : 0; j < 2; ++j) {
    for (int i = scene.cosited ? -1 : 0; i < 2; ++i) {
      const int weight = (scene.cosited && i == 0 ? 2 : 1) * (scene.top_sited && j == 0 ? 2 : 1);
      const uint8_t* pixel = MovedAt(job, x + i, y + j);
      for (int c = 0; c < 3; ++c) rgb[c] += weight * pixel[c];
    }
  }
  const uint8_t u = Weighted(scene.weights.u, rgb, bias, shift);
  const uint8_t v = Weighted(scene.weights.v, rgb, bias, shift);
  const int columns = (Width(scene.drawn) + 1) / 2, rows = (Height(scene.drawn) + 1) / 2;
  const int at = (y - scene.drawn.y0) / 2 * columns + (x - scene.drawn.x0) / 2;
  uint8_t* out = job.out + Width(scene.drawn) * Height(scene.drawn);
  if (scene.format == PixelFormat::kNV12) {
    out[2 * at] = u;
    out[2 * at + 1] = v;
    return;
  }
  const bool u_first = scene.format == PixelFormat::kI420;
  out[at] = u_first ? u : v;
  out[columns * rows + at] = u_first ? v : u;
}

// Pixel (x, y) of the frame, into a packed format.
TALKFACE_BOTH void WritePacked(const ComposeJob& job, int x, int y) {
  const PixelFormat format = job.scene.format;
  const bool three = format == PixelFormat::kRGB || format == PixelFormat::kBGR;
  const bool swapped =
      format == PixelFormat::kBGRA || format == PixelFormat::kBGRx || format == PixelFormat::kBGR;
  const bool opaque = format == PixelFormat::kRGBx || format == PixelFormat::kBGRx;
  const Rect& drawn = job.scene.drawn;
  const uint8_t* pixel = MovedAt(job, x, y);
  uint8_t* out = job.out + (three ? 3 : 4) * ((y - drawn.y0) * Width(drawn) + x - drawn.x0);
  out[0] = pixel[swapped ? 2 : 0];
  out[1] = pixel[1];
  out[2] = pixel[swapped ? 0 : 2];
  if (!three) out[3] = opaque ? 255 : pixel[3];
}

// Pixel (x, y) of the frame, into `out`.
TALKFACE_BOTH void WritePixel(const ComposeJob& job, int x, int y) {
  const ComposeScene& scene = job.scene;
  if (!scene.subsampled) return WritePacked(job, x, y);
  const uint8_t* pixel = MovedAt(job, x, y);
  const int rgb[3] = {pixel[0], pixel[1], pixel[2]};
  job.out[(y - scene.drawn.y0) * Width(scene.drawn) + x - scene.drawn.x0] =
      Weighted(scene.weights.y, rgb, scene.weights.y_bias, 15);
  if (x % 2 == 0 && y % 2 == 0) WriteChroma(job, x, y);
}

}  // namespace talkface::imaging
