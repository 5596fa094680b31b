// SPDX-License-Identifier: MIT
// What a mouth would look like inside in this picture: photograph, grey, painting or drawing.
#pragma once

#include "models/portrait/face_geometry.h"

namespace talkface::auwarp {

struct MouthLook {
  portrait::Colour tooth;   // a front tooth in full light
  portrait::Colour dark;    // the cavity behind
  portrait::Colour shadow;  // what teeth fade to where little light falls
  portrait::Colour tongue;  // where light falls on it
  float light_per_u = 0;    // how much lighter it gets per face height to the right, 0 = evenly lit
  float blur = 0;           // edges are this soft in the picture, in face heights

  // Light at u as a share of the middle's.
  float Light(float u) const {
    const float light = 1 + light_per_u * u;
    return light < 0.55f ? 0.55f : (light > 1.3f ? 1.3f : light);
  }
};

MouthLook MeasureLook(const Pixels& portrait, const portrait::FaceGeometry& face);

}  // namespace talkface::auwarp
