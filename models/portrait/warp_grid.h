// SPDX-License-Identifier: MIT
// One frame's displacement: the fields summed, and turned round so that every pixel of the frame
// knows where in the portrait it comes from.
#pragma once

#include <cstdint>
#include <vector>

#include "models/portrait/idle_motion.h"
#include "models/portrait/motion_fields.h"
#include "models/portrait/mouth_layer.h"

namespace talkface::portrait {

// From a frame's node to its place in the portrait at rest, in 1/256 pixel.
struct BackwardGrid {
  std::vector<int32_t> x, y;
};

// What moves in one frame.
struct FrameMotion {
  HeadPose head;
  const MouthLayer* layer = nullptr;   // null: the mouth moves nothing
  const MouthMotion* mouth = nullptr;  // the layer's; null: as well
};

// Scratch of one worker; used again for every frame.
class WarpGrid {
 public:
  // Fills the grids for a frame's motion.
  void Solve(const MotionFields& fields, const FaceMap& map, const FaceGeometry& face,
             const FrameMotion& motion);

  // Every node, by the layer that is seen there (near the lips' line: either).
  const BackwardGrid& skin() const { return skin_; }
  // Nodes of the mouth only: as part of the upper lip, of the lower lip.
  const BackwardGrid& upper() const { return upper_; }
  const BackwardGrid& lower() const { return lower_; }
  // Can pixels of both lips, or of the mouth's inside, lie in the mouth's cell (column, row)?
  bool Seam(const MotionFields& fields, int column, int row) const;

 private:
  struct Forward {
    std::vector<float> x, y;  // pixels
  };
  void Sum(const MotionFields& fields, const FaceMap& map, const FrameMotion& motion);
  void SolveMouthNode(const MotionFields& fields, const FaceMap& map, const FaceGeometry& face,
                      int node);
  static void Invert(const MotionFields& fields, const Forward& forward, int node,
                     BackwardGrid* out);

  std::vector<float> u_, v_, v_upper_, v_lower_;  // face units
  Forward up_, down_;
  BackwardGrid skin_, upper_, lower_;
  enum class Side : uint8_t { kUpper, kLower, kBoth, kOneSkin };
  std::vector<Side> side_;  // of the mouth's nodes
};

}  // namespace talkface::portrait
