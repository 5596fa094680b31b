// SPDX-License-Identifier: MIT
// How a net runs: its ops as steps, with weights as the kernels want them and a place in one
// piece of memory for each value that is alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/vision/net_graph.h"
#include "models/vision/net_kernels.h"

namespace talkface::vision {

constexpr size_t kNoValue = SIZE_MAX;

// An op; a convolution with what follows it at once, a sum and an activation, so that its result
// goes to memory once.
struct Step {
  GraphOp op;  // its tensors may be gone
  Sliding sliding{};
  FloatBuffer weights, bias, slopes;
  bool has_slopes = false;
  size_t residual = kNoValue;
  bool copies = false;  // runs on a copy with what SAME adds round it
  size_t copy = 0;      // where, as the places of values
};

struct Plan {
  std::vector<Step> steps;
  std::vector<Shape> shapes;   // by value
  std::vector<size_t> places;  // by value, in floats; value 0 is the caller's
  size_t floats = 0;           // memory that a run takes
  uint64_t weight_bytes = 0;
};

// Takes a graph as ReadNetGraph gives it, while its file is open.
Plan MakePlan(const NetGraph& graph);

}  // namespace talkface::vision
