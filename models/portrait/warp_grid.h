// SPDX-License-Identifier: MIT
// One frame's displacement: the fields summed, and turned round so that every pixel of the frame
// knows where in the portrait it comes from.
#pragma once

#include <cstdint>
#include <vector>

#include "models/families/auwarp/mouth/mouth_pose.h"
#include "models/portrait/idle_motion.h"
#include "models/portrait/motion_fields.h"

namespace talkface::auwarp {

// From a frame's node to its place in the portrait at rest, in 1/256 pixel.
struct BackwardGrid {
  std::vector<int32_t> x, y;
};

// Scratch of one worker; used again for every frame.
class WarpGrid {
 public:
  // Fills the grids for a pose.
  void Solve(const MotionFields& fields, const FaceMap& map, const FaceGeometry& face,
             const MouthPose& mouth, const HeadPose& head);

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
  void Sum(const MotionFields& fields, const FaceMap& map, const MouthPose& mouth,
           const HeadPose& head);
  void SolveMouthNode(const MotionFields& fields, const FaceMap& map, const FaceGeometry& face,
                      int node);
  static void Invert(const MotionFields& fields, const Forward& forward, int node,
                     BackwardGrid* out);

  Forward up_, down_;
  BackwardGrid skin_, upper_, lower_;
  enum class Side : uint8_t { kUpper, kLower, kBoth, kOneSkin };
  std::vector<Side> side_;  // of the mouth's nodes
};

}  // namespace talkface::auwarp
