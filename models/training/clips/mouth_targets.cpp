// SPDX-License-Identifier: MIT
#include "models/training/clips/mouth_targets.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "models/core/error.h"

namespace talkface::auwarp {
namespace {

struct Vec {
  double x = 0, y = 0, z = 0;
};

struct RigidPoint {
  int index;
  Vec place;  // on the canonical face, H = 1
};

// Mean of eleven speakers' faces, made symmetric.
constexpr std::array<RigidPoint, 25> kRigid = {{
    {10, {0, -0.2137, -0.0552}},       {151, {0, -0.1196, -0.0834}},
    {9, {0, -0.0186, -0.1075}},        {8, {0, 0.0334, -0.1036}},
    {168, {0, 0.0758, -0.1035}},       {6, {0, 0.1188, -0.1318}},
    {197, {0, 0.1593, -0.1635}},       {195, {0, 0.1969, -0.1975}},
    {5, {0, 0.2375, -0.2329}},         {33, {-0.2554, 0.1132, 0.0192}},
    {263, {0.2554, 0.1132, 0.0192}},   {133, {-0.0991, 0.1180, -0.0109}},
    {362, {0.0991, 0.1180, -0.0109}},  {127, {-0.3983, 0.1690, 0.2983}},
    {356, {0.3983, 0.1690, 0.2983}},   {21, {-0.3746, -0.0079, 0.1791}},
    {251, {0.3746, -0.0079, 0.1791}},  {103, {-0.2855, -0.1457, 0.0470}},
    {332, {0.2855, -0.1457, 0.0470}},  {67, {-0.2004, -0.1887, -0.0119}},
    {297, {0.2004, -0.1887, -0.0119}}, {109, {-0.1085, -0.2094, -0.0463}},
    {338, {0.1085, -0.2094, -0.0463}}, {54, {-0.3408, -0.0836, 0.1150}},
    {284, {0.3408, -0.0836, 0.1150}},
}};

// Spread of the median speaker, in H, times kLively: an average face's speech would look
// mumbled on a still portrait.
constexpr float kLively = 1.4f;
constexpr std::array<float, kShapes> kTypicalShape = {0.0134f, 0.0082f, 0.0067f, 0.0150f};
constexpr std::array<float, kUnits> kTypicalUnits = {0.0054f, 0.0092f, 0.0082f,
                                                     0.0082f, 0.0134f, 0.0150f};
constexpr float kGainMin = 0.4f, kGainMax = 2.5f;
constexpr size_t kFewestFrames = 10;
constexpr float kCornerOfJaw = 0.5f;  // how far the corners go down when the chin goes down by 1
constexpr std::array<float, kUnits> kFullIntensity = {.03f, .025f, .07f, .06f, .10f, .09f};
constexpr float kMaxIntensity = 5.0f;

// A similarity: place = scale x turn x point + shift.
struct Similarity {
  double turn[3][3];
  double scale;
  Vec shift;

  Vec operator()(const Vec& p) const {
    const auto row = [&](int i) {
      return scale * (turn[i][0] * p.x + turn[i][1] * p.y + turn[i][2] * p.z);
    };
    return {row(0) + shift.x, row(1) + shift.y, row(2) + shift.z};
  }
};

// Horn, "Closed-form solution of absolute orientation using unit quaternions" (1987): the turn is
// the eigenvector of N with the largest eigenvalue, found by power iteration on N shifted to be
// positive.
void TurnOf(const double (&m)[3][3], double (*turn)[3]) {
  const double n[4][4] = {
      {m[0][0] + m[1][1] + m[2][2], m[1][2] - m[2][1], m[2][0] - m[0][2], m[0][1] - m[1][0]},
      {m[1][2] - m[2][1], m[0][0] - m[1][1] - m[2][2], m[0][1] + m[1][0], m[2][0] + m[0][2]},
      {m[2][0] - m[0][2], m[0][1] + m[1][0], m[1][1] - m[0][0] - m[2][2], m[1][2] + m[2][1]},
      {m[0][1] - m[1][0], m[2][0] + m[0][2], m[1][2] + m[2][1], m[2][2] - m[0][0] - m[1][1]}};
  double bound = 0;
  for (const auto& row : n)
    bound =
        std::max(bound, std::abs(row[0]) + std::abs(row[1]) + std::abs(row[2]) + std::abs(row[3]));
  double q[4] = {1, 0, 0, 0};
  for (int round = 0; round < 200; ++round) {
    double next[4], norm = 0;
    for (int i = 0; i < 4; ++i) {
      next[i] = bound * q[i];
      for (int j = 0; j < 4; ++j) next[i] += n[i][j] * q[j];
      norm += next[i] * next[i];
    }
    for (int i = 0; i < 4; ++i) q[i] = next[i] / std::sqrt(norm);
  }
  const double w = q[0], x = q[1], y = q[2], z = q[3];
  const double result[3][3] = {
      {w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)},
      {2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)},
      {2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z}};
  for (int i = 0; i < 3; ++i) std::copy(result[i], result[i] + 3, turn[i]);
}

Similarity Align(const float (*landmarks)[3]) {
  Vec from, to;
  const double share = 1.0 / kRigid.size();
  const auto point = [&](int index) {
    return Vec{landmarks[index][0], landmarks[index][1], landmarks[index][2]};
  };
  for (const RigidPoint& rigid : kRigid) {
    const Vec p = point(rigid.index);
    from = {from.x + share * p.x, from.y + share * p.y, from.z + share * p.z};
    to = {to.x + share * rigid.place.x, to.y + share * rigid.place.y, to.z + share * rigid.place.z};
  }
  double cross[3][3] = {}, size_from = 0;
  for (const RigidPoint& rigid : kRigid) {
    const Vec p = point(rigid.index);
    const double a[3] = {p.x - from.x, p.y - from.y, p.z - from.z};
    const double b[3] = {rigid.place.x - to.x, rigid.place.y - to.y, rigid.place.z - to.z};
    for (int i = 0; i < 3; ++i) {
      size_from += a[i] * a[i];
      for (int j = 0; j < 3; ++j) cross[i][j] += a[i] * b[j];
    }
  }
  Similarity result{};
  TurnOf(cross, result.turn);
  double along = 0;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) along += result.turn[i][j] * cross[j][i];
  result.scale = along / size_from;
  const Vec moved = result(from);
  result.shift = {to.x - moved.x, to.y - moved.y, to.z - moved.z};
  return result;
}

float Percentile(std::vector<float> values, double share) {
  const size_t place = static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(place), values.end());
  return values[place];
}

float Spread(const std::vector<float>& values) {
  double sum = 0, squares = 0;
  for (float v : values) {
    sum += v;
    squares += static_cast<double>(v) * v;
  }
  const double n = static_cast<double>(values.size()), mean = sum / n;
  return static_cast<float>(std::sqrt(std::max(squares / n - mean * mean, 0.0)));
}

// Rest is the median of `values` where `opening` is at most `closed`.
template <size_t N, typename Field>
void RestAndGain(const std::vector<MouthMeasure>& frames, float closed,
                 const std::array<float, N>& typical, Field field, std::array<float, N>* rest,
                 std::array<float, N>* gain) {
  for (size_t i = 0; i < N; ++i) {
    std::vector<float> all, shut;
    for (const MouthMeasure& frame : frames) {
      all.push_back(field(frame)[i]);
      if (frame.shape[0] <= closed) shut.push_back(field(frame)[i]);
    }
    (*rest)[i] = Percentile(shut, 0.5);
    const float spread = std::max(Spread(all), 1e-6f);
    (*gain)[i] = std::clamp(kLively * typical[i] / spread, kGainMin, kGainMax);
  }
}

}  // namespace

MouthMeasure MeasureMouth(const float (*landmarks)[3]) {
  MouthMeasure measure;
  if (!std::isfinite(landmarks[0][0])) {
    measure.shape.fill(std::numeric_limits<float>::quiet_NaN());
    measure.units.fill(std::numeric_limits<float>::quiet_NaN());
    return measure;
  }
  const Similarity align = Align(landmarks);
  const auto at = [&](int i) {
    return align(Vec{landmarks[i][0], landmarks[i][1], landmarks[i][2]});
  };
  const auto distance = [](const Vec& a, const Vec& b) { return std::hypot(a.x - b.x, a.y - b.y); };
  const Vec upper = at(13), lower = at(14), left = at(61), right = at(291), chin = at(152);
  const double opening = distance(upper, lower), width = distance(left, right);
  const double outer = -(at(37).y + at(0).y + at(267).y) / 3, corners = -(left.y + right.y) / 2;
  const auto to_float = [](double value) { return static_cast<float>(value); };
  measure.shape = {to_float(opening), to_float(width), to_float(-upper.y), to_float(chin.y)};
  measure.units = {to_float(outer), to_float(corners), to_float(-width),
                   to_float(width), to_float(opening), to_float(chin.y)};
  return measure;
}

SpeakerNorm MeasureSpeaker(const std::vector<MouthMeasure>& frames) {
  std::vector<MouthMeasure> good;
  std::vector<float> openings;
  for (const MouthMeasure& frame : frames) {
    if (!std::isfinite(frame.shape[0])) continue;
    good.push_back(frame);
    openings.push_back(frame.shape[0]);
  }
  if (good.size() < kFewestFrames) {
    throw Error(Code::kInvalid, "Only " + std::to_string(good.size()) +
                                    " frames show a face, wanted at least " +
                                    std::to_string(kFewestFrames) + ".");
  }
  const float closed = Percentile(openings, 0.2);
  SpeakerNorm norm;
  RestAndGain(
      good, closed, kTypicalShape, [](const MouthMeasure& m) -> const auto& { return m.shape; },
      &norm.shape_rest, &norm.shape_gain);
  RestAndGain(
      good, closed, kTypicalUnits, [](const MouthMeasure& m) -> const auto& { return m.units; },
      &norm.units_rest, &norm.units_gain);
  norm.shape_rest[0] = Percentile(openings, 0.05);
  norm.units_rest[4] = norm.shape_rest[0];
  return norm;
}

Expression MakeExpression(const MouthMeasure& frame, const SpeakerNorm& norm) {
  std::array<float, kShapes> shape;
  std::array<float, kUnits> travel;
  for (int i = 0; i < kShapes; ++i)
    shape[i] = (frame.shape[i] - norm.shape_rest[i]) * norm.shape_gain[i];
  for (int i = 0; i < kUnits; ++i)
    travel[i] = (frame.units[i] - norm.units_rest[i]) * norm.units_gain[i];
  Expression expression;
  expression.opening = shape[0];
  expression.width = shape[1];
  expression.upper = shape[2];
  expression.jaw = shape[3];
  expression.units = UnitIntensities(travel);
  return expression;
}

std::array<float, kUnits> UnitIntensities(const std::array<float, kUnits>& travel) {
  std::array<float, kUnits> units = travel;
  units[kAu14] += kCornerOfJaw * std::max(travel[kAu26], 0.0f);
  for (int i = 0; i < kUnits; ++i)
    units[i] = std::clamp(units[i] / kFullIntensity[i], 0.0f, 1.0f) * kMaxIntensity;
  return units;
}

}  // namespace talkface::auwarp
