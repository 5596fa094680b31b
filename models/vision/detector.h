// SPDX-License-Identifier: MIT
// MediaPipe's short-range face detector (BlazeFace: an SSD with 896 anchors on 128 x 128 pixels).
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "models/core/pack.h"
#include "models/vision/crop.h"
#include "models/vision/net.h"

namespace talkface::vision {

// A face seen by the detector, in pixels of the picture.
struct Hit {
  float x = 0, y = 0, width = 0, height = 0;  // top left corner and size
  std::array<Point, 6> points;  // right eye, left eye, nose, mouth, right ear, left ear
  float score = 0;              // 0..1
  float Area() const { return width * height; }
};

// Centres of the detector's anchors, 0..1 across its input, in the order of its outputs.
std::vector<Point> MakeAnchors(int input_px, const std::vector<int64_t>& strides);

// Weighted non-maximum suppression: hits that overlap a better one by more than `overlap`
// (intersection over union) are merged into it, weighted by their scores. Best first.
std::vector<Hit> MergeHits(std::vector<Hit> hits, float overlap);

class Detector {
 public:
  // Takes the pack's file "detector". Throws Error{kBadPack}.
  explicit Detector(const Pack& pack);

  // Faces of at least `min_score` in an upright region of the picture, merged, best first.
  std::vector<Hit> Detect(const Pixels& picture, const Region& region, float min_score) const;

  float overlap() const { return overlap_; }
  uint64_t MemoryUse() const { return net_.MemoryUse(); }

 private:
  Net net_;
  int input_px_ = 0;
  std::vector<Point> anchors_;
  float overlap_ = 0;
};

}  // namespace talkface::vision
