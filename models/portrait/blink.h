// SPDX-License-Identifier: MIT
// Closed lids over open eyes: the skin above and below each eye drawn together over it, shaded like
// a lid, with the portrait's own grain.
#pragma once

#include <cstdint>
#include <vector>

#include "models/portrait/lid_shape.h"
#include "models/portrait/motion_fields.h"
#include "models/portrait/pixel_sampler.h"

namespace talkface::portrait {

// Both eyes' lids for one scene; immutable.
class Lids {
 public:
  // Eyes that cannot close (Eye::can_close) have none.
  Lids(const FaceGeometry& face, const FaceMap& map, const Patch& portrait);

  // One row of the frame at work.
  struct Row {
    int x0, count;                   // its first pixel and how many
    int y;                           //
    const int32_t *from_x, *from_y;  // where each comes from, 1/256 pixel
    uint8_t* pixels;                 // RGBA
  };
  // Draws what of the lids lies in the row; `shut` 0..1.
  void Draw(const Row& row, float shut) const;

 private:
  struct Lid {
    LidShape shape;
    float from, to;       // its extent along v
    imaging::Rect reach;  // in the frame, head motion included
    Patch skin;           // of the closed lid
  };
  void Paint(const Patch& portrait, Lid* lid) const;
  float GrainOffset(const Patch& portrait, const LidShape& shape) const;
  void DrawLid(const Lid& lid, const Row& row, float shut) const;
  float Lash(const LidShape& shape, Point at, float edge) const;

  const FaceMap map_;
  std::vector<Lid> lids_;
};

}  // namespace talkface::portrait
