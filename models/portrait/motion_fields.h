// SPDX-License-Identifier: MIT
// The face's motion as a few smooth fields on a coarse grid over the frame: computed once a scene,
// summed once a frame.
#pragma once

#include <memory>
#include <vector>

#include "models/imaging/frame_writer.h"
#include "models/portrait/face_geometry.h"
#include "models/portrait/smooth_field.h"

namespace talkface::auwarp {

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

// The share of the lips' parting at u: 1 in the mouth's middle, 0 at and beyond its corners.
float Parting(const FaceGeometry& face, float u);

// Downward travel of the skin for a unit of jaw opening, measured on speakers (see the .cpp): once
// as the upper lip sees it, once as the lower lip does. Equal away from the mouth.
class JawMotion {
 public:
  explicit JawMotion(const FaceGeometry& face);
  float Upper(Point p) const;
  float Lower(Point p) const;

 private:
  float Window(Point p) const;
  const FaceGeometry& face_;
  std::unique_ptr<SmoothField> upper_, lower_;
};

// Nodes at frame pixels (x0 + i * step, y0 + j * step). Values are weights of an amplitude in face
// units. Fields of the upper lip are valid above the line between the lips, those of the lower lip
// below; each goes on unchanged across the line.
struct MotionFields {
  int x0 = 0, y0 = 0, step = 2, log2_step = 1, columns = 0, rows = 0;
  std::vector<float> jaw_upper, jaw_lower, part_upper, part_lower, thick, corner_v;  // along v
  // Along v and already in face units: a smile's lips meet; a lower lip loses the shape that the
  // upper one pressed into it.
  std::vector<float> close_upper, close_lower, relax;
  std::vector<float> width, corner_u;  // along u
  // Head motion: how much a node goes with the head, that times its place, and its nearness.
  std::vector<float> head, head_u, head_v, nearness;
  std::vector<float> brow;  // along v: with the brows, and a little of it the upper lids
  // First and last cell of each row of cells in which anything can move: [from, to).
  std::vector<int> cells_from, cells_to;
  // Cells in which the lips can part.
  int mouth_from = 0, mouth_to = 0, mouth_top = 0, mouth_bottom = 0;

  int Count() const { return columns * rows; }
  bool UpperSide(int node) const { return upper_side[static_cast<size_t>(node)] != 0; }
  std::vector<uint8_t> upper_side;  // the node lies above the line between the lips
};

// `picture`: where the portrait lies in the frame; nothing moves outside.
MotionFields BuildMotionFields(const FaceGeometry& face, const FaceMap& map,
                               const compose::Rect& picture, bool head_motion);

}  // namespace talkface::auwarp
