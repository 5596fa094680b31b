// SPDX-License-Identifier: MIT
// What a family draws into a living portrait: its mouth. The portrait's scene does the rest (head,
// breath, brows, lids, still frame, pixel formats) and asks the layer where it has something to
// say. A layer may do three things, each of them or none:
//
//   Repaint     put other pixels in the portrait's place before anything moves
//   Move, Part  push the skin about, and the lips apart along the line between them
//   DrawRow     draw the pixels round that line: upper lip, lower lip, what is seen between them
#pragma once

#include <cstddef>
#include <cstdint>

#include "models/imaging/scale.h"
#include "models/portrait/idle_motion.h"
#include "models/portrait/motion_fields.h"
#include "models/portrait/pixel_sampler.h"

namespace talkface::portrait {

// What a mouth does in one frame, in its family's own terms.
class MouthMotion {
 protected:
  ~MouthMotion() = default;
};

// The face that a scene's layer is made for. All of it lives as long as the scene.
struct MouthSite {
  const Pixels portrait;                // as it was enrolled
  const imaging::Placement& placement;  // of it in the frame
  const FaceGeometry& face;
  const FaceMap& map;
  const GridShape& grid;
  const Patch& skin;  // the moving part at its size in the frame, as pixels are read from it
};

// How the head's motion moves a mouth: as one.
struct HeadAtMouth {
  HeadPose pose;
  float share = 0, nearness = 0;  // of that motion, at the mouth
  Point centre;                   // that the head turns about

  // Where a place of the frame would lie if the head had not moved; face units.
  Point OnSkull(Point p) const {
    return {p.u - share * (pose.u - pose.turn * (p.v - centre.v)) - nearness * pose.parallax,
            p.v - share * (pose.v + pose.turn * (p.u - centre.u))};
  }
};

// Part of one row of the frame in which the lips may part.
struct MouthRow {
  int x0, count, y;  // pixels of the frame
  // How far from each pixel its place in the portrait lies, in 1/256 pixel: as part of the upper
  // lip, and as part of the lower one.
  const int32_t *upper_x, *upper_y, *lower_x, *lower_y;
  const HeadAtMouth& head;
  uint8_t* out;  // RGBA, what the skin alone looks like; overwritten
};

// The displacement of a grid's nodes, in face units, one value a node.
struct NodeMotion {
  size_t count;
  float *u, *v;
};

// One scene's; immutable, called by many threads at once.
class MouthLayer {
 public:
  virtual ~MouthLayer() = default;

  // Can the layer move the grid's node?
  virtual bool Reaches(size_t node) const { return false; }
  // Does this motion leave skin and lips where they are?
  virtual bool AtRest(const MouthMotion& motion) const { return true; }

  // The moving part's pixels in this frame, of the same area as `own`: null where they are `own`.
  // `scratch` is the calling thread's, to be filled if need be.
  virtual const Patch* Repaint(const MouthMotion& motion, const Patch& own, Patch* scratch) const {
    return nullptr;
  }

  // Sets how the skin moves, which is 0 before. The head's motion is added to that afterwards.
  virtual void Move(const MouthMotion& motion, const NodeMotion& skin) const {}
  // From `v`, how all skin moves along v, to how the upper lip's sheet of skin does and the lower
  // lip's: equal away from the mouth.
  virtual void Part(const MouthMotion& motion, size_t count, const float* v, float* upper,
                    float* lower) const;

  virtual void DrawRow(const MouthMotion& motion, const MouthRow& row) const {}
};

}  // namespace talkface::portrait
