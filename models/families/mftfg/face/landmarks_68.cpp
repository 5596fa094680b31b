// SPDX-License-Identifier: MIT
#include "models/families/mftfg/face/landmarks_68.h"

#include <array>

namespace talkface::mftfg {
namespace {

struct MeshPoints {
  int a, b;  // the same twice, or two whose middle is meant
};
constexpr MeshPoints At(int a) { return {a, a}; }

// Jaw: steps of equal length along the mesh's outline from ear to chin. Brows: their upper edges.
constexpr std::array<MeshPoints, imaging::kLandmarkScheme> kMeshPoints = {
    {At(127),    {234, 93},  {93, 132},  At(58),  At(172),    {136, 150}, At(149),  // 0 jaw
     {176, 148}, At(152),    {400, 377}, At(378), {365, 379}, At(397),    At(288),  // 7
     {323, 361}, {454, 323}, At(356),                                               // 14
     At(70),     At(63),     At(105),    At(66),  At(107),                          // 17 brows
     At(336),    At(296),    At(334),    At(293), At(300),                          // 22
     At(168),    {6, 197},   {195, 5},   At(4),                                     // 27 nose
     At(240),    At(97),     At(2),      At(326), At(460),                          // 31
     At(33),     At(160),    At(158),    At(133), At(153),    At(144),              // 36 eyes
     At(362),    At(385),    At(387),    At(263), At(373),    At(380),              // 42
     At(61),     At(39),     At(37),     At(0),   At(267),    At(269),    At(291),  // 48 mouth
     {321, 405}, At(314),    At(17),     At(84),  {91, 181},                        // 55
     At(78),     At(81),     At(13),     At(311), At(308),    At(402),    At(14),   // 60 inside
     At(178)}};                                                                     // 67

}  // namespace

imaging::Landmarks LandmarksOfMesh(const FaceInfo& face) {
  constexpr double kCentre = 0.5;  // of the first pixel, from the picture's corner
  imaging::Landmarks landmarks;
  for (const MeshPoints& points : kMeshPoints) {
    const float *a = face.landmarks[points.a], *b = face.landmarks[points.b];
    landmarks.push_back({(a[0] + b[0]) / 2.0 - kCentre, (a[1] + b[1]) / 2.0 - kCentre});
  }
  return landmarks;
}

const imaging::Landmarks& MeanShape() {
  static const imaging::Landmarks shape = {
      {23.7, 70.7},   {26.5, 100.4},  {29.3, 121.2},  {38.0, 154.8},  {47.2, 173.2},
      {63.5, 192.9},  {80.8, 207.7},  {99.5, 218.0},  {124.6, 222.2}, {149.5, 216.7},
      {167.6, 205.4}, {184.1, 189.8}, {199.4, 169.2}, {207.7, 150.3}, {214.8, 116.4},
      {216.4, 95.5},  {217.7, 65.7},  {40.1, 45.5},   {48.4, 37.8},   {61.9, 33.4},
      {79.4, 33.8},   {99.4, 35.4},   {140.3, 34.4},  {160.2, 31.7},  {177.7, 30.4},
      {191.4, 34.1},  {200.1, 41.4},  {120.4, 58.1},  {120.8, 74.1},  {121.3, 94.4},
      {121.8, 112.2}, {99.6, 124.9},  {110.9, 129.2}, {122.2, 129.4}, {133.4, 128.6},
      {144.5, 123.7}, {57.0, 64.3},   {66.3, 58.5},   {81.1, 57.2},   {96.1, 65.8},
      {83.7, 68.8},   {69.1, 69.0},   {145.1, 64.6},  {159.7, 55.2},  {174.5, 55.7},
      {184.1, 61.0},  {172.2, 66.4},  {157.7, 66.9},  {84.8, 159.1},  {99.5, 149.4},
      {111.0, 146.8}, {122.6, 148.0}, {134.2, 146.2}, {145.8, 148.1}, {160.8, 156.9},
      {148.6, 171.1}, {135.0, 178.6}, {123.5, 180.1}, {111.9, 179.3}, {97.9, 172.6},
      {90.2, 158.5},  {106.3, 155.7}, {122.8, 156.1}, {139.3, 154.7}, {155.5, 156.6},
      {140.4, 164.1}, {123.2, 166.8}, {105.8, 165.1}};
  return shape;
}

}  // namespace talkface::mftfg
