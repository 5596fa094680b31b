// SPDX-License-Identifier: MIT
// What the networks see of an aligned face (alignment.h): pictures, masks, landmarks. Landmarks are
// 68, in the crop's pixels, and finite; else Error{kInvalid}.
#pragma once

#include <array>
#include <vector>

#include "models/families/mftfg/config.h"
#include "models/imaging/alignment.h"

namespace talkface::mftfg {

// The face as reference picture: Pillow's bicubic, `size` x `size`.
imaging::ByteImage ReferenceImage(const imaging::ByteImage& crop, int size);

// The reference with its lower half black: rows from the one of the nose's tip (landmark 33, in
// the crop's pixels) on.
imaging::ByteImage ImageMask(const imaging::ByteImage& reference,
                             const imaging::Landmarks& landmarks);

// -1..1, planar [C, H, W]: byte / 127.5 - 1.
std::vector<float> Normalised(const imaging::ByteImage& image);

// The mask generator's picture, planar [3, size, size]: OpenCV's bilinear, (byte / 255 - 0.5) /
// 0.5.
std::vector<float> MaskInput(const imaging::ByteImage& crop_rgb, int size);
imaging::ByteImage MaskPicture(const imaging::ByteImage& crop_rgb, int size);  // the same in bytes

// What is generated: the polygon of the jaw (landmarks 2 to 14) and the nose's tip (33).
imaging::Landmarks PolygonOf(const imaging::Landmarks& landmarks);
// 0 inside of it, 1 outside, 128 x 128; and as the latents have it, `size` x `size`, by Pillow's
// bicubic.
imaging::ByteImage MouthPolygon(const imaging::Landmarks& landmarks);
imaging::ByteImage InferenceMask(const imaging::Landmarks& landmarks, int size);

// The landmark encoder's rows: 0 to 3 and 13 to 47 (39 points: jaw ends, brows, nose, eyes), x0,
// y0, x1.., in pixels of a picture of `size` px.
std::vector<float> EncoderLandmarks(const imaging::Landmarks& landmarks, int size);
// The same free of the face's place and size: without their mean, by their spread (standard
// deviation over all coordinates). The corrected wiring's input.
std::vector<float> NormalisedLandmarks(const imaging::Landmarks& landmarks);

// Action units 10, 14, 20, 25 and 26 in a row of numbers that OpenFace's FaceLandmarkImg wrote:
// face, confidence, 17 intensities, 18 presences. Throws Error{kInvalid} for another count.
struct OpenFaceUnits {
  std::array<float, kActionUnits> intensity;  // 0..5
  std::array<float, kActionUnits> presence;   // 0 or 1
};
OpenFaceUnits UnitsOfOpenFace(const std::vector<float>& row);

}  // namespace talkface::mftfg
