// SPDX-License-Identifier: MIT
// From MediaPipe's 468-point mesh to the 68 landmarks of iBUG 300-W, which the paper's model was
// made for (docs/mftfg.md has the table).
#pragma once

#include "models/engine.h"
#include "models/imaging/alignment.h"

namespace talkface::mftfg {

// The 68 landmarks in the picture's pixels, with pixel centres at whole numbers as everywhere in
// alignment.h (a mesh counts from the picture's corner). Each is a point of the mesh or the middle
// of two.
imaging::Landmarks LandmarksOfMesh(const FaceInfo& face);

// Where a frontal face's 68 landmarks lie in the 224-pixel picture that the official preprocessing
// cuts: for packs without a mean shape of their own. The mean of real portraits' meshes, put where
// the official table has rows 28 to 48.
const imaging::Landmarks& MeanShape();

}  // namespace talkface::mftfg
