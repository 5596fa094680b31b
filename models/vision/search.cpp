// SPDX-License-Identifier: MIT
#include "models/vision/search.h"

#include <algorithm>
#include <cmath>

namespace talkface::vision {
namespace {

constexpr float kMargin = 1.6f;       // the picture's long side to the region's
constexpr float kMinTilePx = 64.0f;   // a face of a fifth of this is past use
constexpr int kTileLevels = 4;        // short side, half, quarter, eighth
constexpr float kSecondScore = 0.6f;  // further hits, see ChooseFace
constexpr float kSecondArea = 0.25f;

// Offsets of tiles that cover `length`, overlapping by at least half.
std::vector<float> TileStarts(float length, float side) {
  const int count = 1 + static_cast<int>(std::ceil((length - side) / (side / 2) - 1e-3f));
  std::vector<float> starts;
  for (int i = 0; i < count; ++i) {
    starts.push_back(count == 1
                         ? 0.0f
                         : static_cast<float>(i) * (length - side) / static_cast<float>(count - 1));
  }
  return starts;
}

Stage Tiles(float width, float height, float side) {
  Stage tiles;
  for (float top : TileStarts(height, side)) {
    for (float left : TileStarts(width, side)) {
      tiles.push_back({left + side / 2, top + side / 2, side, 0});
    }
  }
  return tiles;
}

bool CentreInside(const Hit& hit, const Hit& other) {
  const float x = hit.x + hit.width / 2 - other.x, y = hit.y + hit.height / 2 - other.y;
  return x > 0 && y > 0 && x < other.width && y < other.height;
}

}  // namespace

std::vector<Stage> PortraitStages(const Pixels& picture) {
  const float width = static_cast<float>(picture.width),
              height = static_cast<float>(picture.height);
  const float side = std::max(width, height);
  std::vector<Stage> stages = {{{width / 2, height / 2, side, 0}},
                               {{width / 2, height / 2, kMargin * side, 0}}};
  float tile = std::min(width, height);
  for (int level = 0; level < kTileLevels && (level == 0 || tile >= kMinTilePx); ++level) {
    if (tile < side) stages.push_back(Tiles(width, height, tile));
    tile /= 2;
  }
  return stages;
}

std::vector<Stage> FrameStages(const Pixels& picture) {
  std::vector<Stage> stages = PortraitStages(picture);
  stages.resize(std::min<size_t>(stages.size(), 3));
  return stages;
}

Choice ChooseFace(const std::vector<Hit>& hits) {
  Choice choice;
  for (size_t i = 1; i < hits.size(); ++i) {
    const bool larger = hits[i].Area() > hits[choice.index].Area();
    if (hits[i].score >= kSecondScore && larger) choice.index = i;
  }
  const Hit& largest = hits[choice.index];
  for (size_t i = 0; i < hits.size(); ++i) {
    const Hit& hit = hits[i];
    const bool counts = (i == 0 || hit.score >= kSecondScore) &&
                        hit.Area() >= kSecondArea * largest.Area() && !CentreInside(hit, largest);
    if (i == choice.index || counts) ++choice.faces;
  }
  return choice;
}

}  // namespace talkface::vision
