// SPDX-License-Identifier: MIT
#include "models/vision/detector.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/vision/settings.h"

namespace talkface::vision {
namespace {

constexpr size_t kBoxValues = 16;  // centre, size, six points
constexpr float kMaxLogit = 100.0f;
constexpr size_t kMaxLayers = 16;

float Overlap(const Hit& a, const Hit& b) {
  const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  return width * height / (a.Area() + b.Area() - width * height);
}

// The average of overlapping hits, weighted by score; the score stays the best one's.
Hit Average(const std::vector<Hit>& hits) {
  Hit mean;
  float total = 0;
  for (const Hit& hit : hits) {
    total += hit.score;
    mean.x += hit.score * hit.x;
    mean.y += hit.score * hit.y;
    mean.width += hit.score * hit.width;
    mean.height += hit.score * hit.height;
    for (size_t i = 0; i < mean.points.size(); ++i) {
      mean.points[i].x += hit.score * hit.points[i].x;
      mean.points[i].y += hit.score * hit.points[i].y;
    }
  }
  for (float* value : {&mean.x, &mean.y, &mean.width, &mean.height}) *value /= total;
  for (Point& point : mean.points) point = {point.x / total, point.y / total};
  mean.score = hits.front().score;
  return mean;
}

// `raw` holds a box's values in pixels of the net's input, relative to its anchor.
Hit Decode(const float* raw, const Point& anchor, int input_px, const Region& region) {
  const float unit = 1.0f / static_cast<float>(input_px);
  const auto place = [&](float dx, float dy) {
    return FromRegion(region, anchor.x + dx * unit, anchor.y + dy * unit);
  };
  Hit hit;
  const Point centre = place(raw[0], raw[1]);
  hit.width = raw[2] * unit * region.side;
  hit.height = raw[3] * unit * region.side;
  hit.x = centre.x - hit.width / 2;
  hit.y = centre.y - hit.height / 2;
  for (size_t i = 0; i < hit.points.size(); ++i) {
    hit.points[i] = place(raw[4 + 2 * i], raw[5 + 2 * i]);
  }
  return hit;
}

}  // namespace

std::vector<Point> MakeAnchors(int input_px, const std::vector<int64_t>& strides) {
  std::vector<Point> anchors;
  for (size_t layer = 0; layer < strides.size();) {
    // Layers of one stride share a grid, two anchors each.
    size_t next = layer;
    while (next < strides.size() && strides[next] == strides[layer]) ++next;
    const int cells = static_cast<int>((input_px + strides[layer] - 1) / strides[layer]);
    for (int cell = 0; cell < cells * cells; ++cell) {
      const Point centre{(static_cast<float>(cell % cells) + 0.5f) / static_cast<float>(cells),
                         (static_cast<float>(cell / cells) + 0.5f) / static_cast<float>(cells)};
      anchors.insert(anchors.end(), 2 * (next - layer), centre);
    }
    layer = next;
  }
  return anchors;
}

std::vector<Hit> MergeHits(std::vector<Hit> hits, float overlap) {
  std::stable_sort(hits.begin(), hits.end(),
                   [](const Hit& a, const Hit& b) { return a.score > b.score; });
  std::vector<Hit> merged;
  while (!hits.empty()) {
    const Hit best = hits.front();
    const auto rest = std::stable_partition(hits.begin(), hits.end(), [&](const Hit& hit) {
      return &hit == &hits.front() || Overlap(best, hit) > overlap;
    });
    merged.push_back(Average(std::vector<Hit>(hits.begin(), rest)));
    hits.erase(hits.begin(), rest);
  }
  return merged;
}

Detector::Detector(const Pack& pack)
    : net_(pack.Tensors("detector")),
      input_px_(static_cast<int>(pack.Setting("detector_input_px").Whole(16, 1024))),
      anchors_(
          MakeAnchors(input_px_, pack.Setting("detector_strides").Wholes(1, kMaxLayers, 1, 1024))),
      overlap_(static_cast<float>(pack.Setting("detector_suppression_overlap").Number(0, 1))) {
  RequireInput(pack, "detector_input_px", net_.InputShape(), input_px_);
  RequireOutputs(pack, "detector", net_.OutputCounts(),
                 {anchors_.size() * kBoxValues, anchors_.size()});
}

std::vector<Hit> Detector::Detect(const Pixels& picture, const Region& region,
                                  float min_score) const {
  const auto outputs = net_.Run(Crop(picture, region, input_px_, Border::kBlack, -1.0f, 1.0f));
  const std::vector<float>&boxes = outputs[0], &logits = outputs[1];
  std::vector<Hit> hits;
  for (size_t i = 0; i < anchors_.size(); ++i) {
    const float score = 1.0f / (1.0f + std::exp(-std::clamp(logits[i], -kMaxLogit, kMaxLogit)));
    if (score < min_score) continue;
    Hit hit = Decode(&boxes[i * kBoxValues], anchors_[i], input_px_, region);
    hit.score = score;
    if (hit.width > 0 && hit.height > 0) hits.push_back(hit);
  }
  return MergeHits(std::move(hits), overlap_);
}

}  // namespace talkface::vision
