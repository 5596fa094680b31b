// SPDX-License-Identifier: MIT
// The graph of a face net as its file holds it (scripts/convert_mediapipe.py writes it), read with
// every number and shape checked: what is run of it can neither read nor write beyond its values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/core/safetensors.h"

namespace talkface::vision {

enum class OpKind {
  kConvolve,
  kDepthwise,
  kMaxPool,
  kPrelu,
  kAdd,
  kRelu,
  kPad,
  kReshape,
  kConcatenate
};

// Sizes, channels last; those of an image are 1, height, width, channels.
using Shape = std::vector<int64_t>;
int64_t CountOf(const Shape& shape);

struct GraphOp {
  OpKind kind{};
  std::string name;        // TFLite's
  std::vector<size_t> in;  // values
  size_t out = 0;
  const TensorView* weight = nullptr;  // float32: of the file, which must outlive this
  const TensorView* bias = nullptr;
  std::array<int64_t, 2> kernel = {1, 1}, stride = {1, 1};  // height, width
  std::array<int64_t, 2> before = {0, 0};                   // rows, columns that SAME adds there
  bool same = false, relu = false;
  Shape shape;                                      // kReshape
  std::array<std::array<int64_t, 2>, 4> pads = {};  // kPad: before and after each axis
  size_t axis = 0;                                  // kConcatenate

  const float* Weights() const { return static_cast<const float*>(weight->data); }
};

struct NetGraph {
  std::array<int64_t, 3> input{};  // height, width, channels
  std::vector<GraphOp> ops;        // each after those that compute what it takes
  std::vector<size_t> outputs;     // values
  std::vector<Shape> shapes;       // by value; empty where a number names no value
  uint64_t work = 0;               // multiply-adds of a run, and what takes about as long
};

// Throws Error{kBadPack} naming the file, and the field or the op, and what is wrong with it.
NetGraph ReadNetGraph(const SafeTensors& file);

}  // namespace talkface::vision
