// SPDX-License-Identifier: MIT
// The motion of head and brows as a few smooth fields on a coarse grid over the frame: computed
// once a scene, summed once a frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "models/imaging/frame_writer.h"
#include "models/portrait/face_geometry.h"

namespace talkface::portrait {

// Where face units lie in the frame; pixel (x, y) means that pixel's centre.
struct FaceMap {
  float x = 0, y = 0;                    // of (0, 0)
  float xu = 1, xv = 0, yu = 0, yv = 1;  // pixels per face unit
  float ux = 1, uy = 0, vx = 0, vy = 1;  // and back
  float unit_px = 1;                     // length of (0, 1)

  FaceMap(const FaceGeometry& face, double scale_x, double scale_y, double left, double top);
  Point ToFace(float px, float py) const {
    return {ux * (px - x) + uy * (py - y), vx * (px - x) + vy * (py - y)};
  }
  Point ToFrame(Point p) const { return {x + xu * p.u + xv * p.v, y + yu * p.u + yv * p.v}; }
  float PixelsPerUnit() const { return unit_px; }  // along v
};

// A grid over the part of the frame in which something can move: its nodes lie at pixels
// (x0 + i * step, y0 + j * step).
struct GridShape {
  int x0 = 0, y0 = 0, step = 2, log2_step = 1, columns = 0, rows = 0;

  int Count() const { return columns * rows; }
  // The node's pixel.
  int X(int node) const { return x0 + node % columns * step; }
  int Y(int node) const { return y0 + node / columns * step; }
};

// Weights of an amplitude in face units, by node. What is no larger than this moves nothing: an
// amplitude is a tenth of a face at most.
constexpr float kStillWeight = 1e-4f;

struct MotionFields : GridShape {
  // Head motion: how much a node goes with the head, that times its place, and its nearness.
  std::vector<float> head, head_u, head_v, nearness;
  std::vector<float> brow;  // along v: with the brows, and a little of it the upper lids
  // First and last cell of each row of cells in which anything can move: [from, to). Of FindCells.
  std::vector<int> cells_from, cells_to;
  // Cells in which the lips can part.
  int mouth_from = 0, mouth_to = 0, mouth_top = 0, mouth_bottom = 0;

  bool UpperSide(int node) const { return upper_side[static_cast<size_t>(node)] != 0; }
  std::vector<uint8_t> upper_side;  // the node lies above the line between the lips
};

// `picture`: where the portrait lies in the frame; nothing moves outside. `head_motion`: do head
// and brows move?
MotionFields BuildMotionFields(const FaceGeometry& face, const FaceMap& map,
                               const imaging::Rect& picture, bool head_motion);

// Fills in which cells can move, by head, brows, or what `mouth` says of a node.
void FindCells(const std::function<bool(size_t node)>& mouth, MotionFields* fields);

}  // namespace talkface::portrait
