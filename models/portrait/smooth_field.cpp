// SPDX-License-Identifier: MIT
#include "models/portrait/smooth_field.h"

#include <cmath>
#include <utility>

#include "models/core/error.h"

namespace talkface::portrait {
namespace {

constexpr double kNearest = 0.004;
constexpr double kSmoothing = 1e-5;  // keeps neighbouring landmarks from making waves

double Kernel(double du, double dv) {
  const double r2 = du * du + dv * dv;
  return r2 > 1e-12 ? 0.5 * r2 * std::log(r2) : 0.0;
}

// Gauss with row exchange; `m` is n rows of n + 1, the right side last.
std::vector<double> Solve(std::vector<double> m, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    size_t pivot = i;
    for (size_t r = i + 1; r < n; ++r)
      if (std::abs(m[r * (n + 1) + i]) > std::abs(m[pivot * (n + 1) + i])) pivot = r;
    if (std::abs(m[pivot * (n + 1) + i]) < 1e-14) {
      throw Error(Code::kNoFace, "The landmarks found in the picture do not form a face.");
    }
    for (size_t c = i; c <= n; ++c) std::swap(m[i * (n + 1) + c], m[pivot * (n + 1) + c]);
    for (size_t r = i + 1; r < n; ++r) {
      const double factor = m[r * (n + 1) + i] / m[i * (n + 1) + i];
      for (size_t c = i; c <= n; ++c) m[r * (n + 1) + c] -= factor * m[i * (n + 1) + c];
    }
  }
  std::vector<double> x(n);
  for (size_t i = n; i-- > 0;) {
    double sum = m[i * (n + 1) + n];
    for (size_t c = i + 1; c < n; ++c) sum -= m[i * (n + 1) + c] * x[c];
    x[i] = sum / m[i * (n + 1) + i];
  }
  return x;
}

}  // namespace

SmoothField::SmoothField(const std::vector<ControlPoint>& points) {
  std::vector<double> values;
  for (const ControlPoint& p : points) {
    bool fresh = true;
    for (const Node& node : nodes_)
      fresh = fresh && std::hypot(node.u - p.at.u, node.v - p.at.v) > kNearest;
    if (!fresh) continue;
    nodes_.push_back({p.at.u, p.at.v, 0});
    values.push_back(p.value);
  }
  const size_t count = nodes_.size(), n = count + 3;
  std::vector<double> m(n * (n + 1), 0.0);
  const auto at = [&](size_t r, size_t c) -> double& { return m[r * (n + 1) + c]; };
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < count; ++j)
      at(i, j) = Kernel(nodes_[i].u - nodes_[j].u, nodes_[i].v - nodes_[j].v);
    at(i, i) += kSmoothing;
    at(i, count) = at(count, i) = 1;
    at(i, count + 1) = at(count + 1, i) = nodes_[i].u;
    at(i, count + 2) = at(count + 2, i) = nodes_[i].v;
    at(i, n) = values[i];
  }
  const std::vector<double> x = Solve(std::move(m), n);
  for (size_t i = 0; i < count; ++i) nodes_[i].weight = x[i];
  constant_ = x[count];
  slope_u_ = x[count + 1];
  slope_v_ = x[count + 2];
}

float SmoothField::At(Point p) const {
  double sum = constant_ + slope_u_ * p.u + slope_v_ * p.v;
  for (const Node& node : nodes_) sum += node.weight * Kernel(p.u - node.u, p.v - node.v);
  return static_cast<float>(sum);
}

}  // namespace talkface::portrait
