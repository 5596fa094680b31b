// SPDX-License-Identifier: MIT
#include "models/vision/net_graph.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/core/checked_json.h"
#include "models/core/error.h"
#include "models/vision/net_kernels.h"

namespace talkface::vision {
namespace {

using nlohmann::json;

struct OpFact {
  const char* name;
  OpKind kind;
};
constexpr OpFact kOps[] = {
    {"CONV_2D", OpKind::kConvolve},
    {"DEPTHWISE_CONV_2D", OpKind::kDepthwise},
    {"MAX_POOL_2D", OpKind::kMaxPool},
    {"PRELU", OpKind::kPrelu},
    {"ADD", OpKind::kAdd},
    {"RELU", OpKind::kRelu},
    {"PAD", OpKind::kPad},
    {"RESHAPE", OpKind::kReshape},
    {"CONCATENATION", OpKind::kConcatenate},
};

// Ranges far beyond any face net, in which no size computed from them can overflow.
constexpr int64_t kMaxSide = 1024, kMaxKernel = 64, kMaxChannels = 16, kMaxElements = 1 << 24;
constexpr int64_t kMaxValues = 4096;
constexpr size_t kMaxJoined = 64, kMaxDimensions = 4;
// Of all values, and of all weights. MediaPipe's nets have up to 1.8 and .6 million.
constexpr int64_t kMaxFloats = 1 << 26, kMaxWeights = 1 << 24;
constexpr uint64_t kMaxWork = 1 << 30;  // they take up to 36 million

std::array<std::array<int64_t, 2>, 4> ReadPads(const JsonField& field) {
  const std::vector<JsonField> axes = field.Entries();
  if (axes.size() != 4) field.Reject("4 lists");
  std::array<std::array<int64_t, 2>, 4> pads;
  for (size_t axis = 0; axis < pads.size(); ++axis) {
    const std::vector<int64_t> sides = axes[axis].Wholes(2, 2, 0, kMaxSide);
    pads[axis] = {sides[0], sides[1]};
  }
  return pads;
}

std::array<int64_t, 3> ReadInput(const JsonField& field) {
  const std::vector<JsonField> sizes = field.Entries();
  if (sizes.size() != 3) field.Reject("height, width and channels");
  return {sizes[0].Whole(1, kMaxSide), sizes[1].Whole(1, kMaxSide),
          sizes[2].Whole(1, kMaxChannels)};
}

std::vector<size_t> ValueList(const JsonField& field) {
  const std::vector<int64_t> values = field.Wholes(1, kMaxJoined, 0, kMaxValues);
  return {values.begin(), values.end()};
}

std::array<int64_t, 2> ReadPair(const JsonField& field) {
  const std::vector<int64_t> pair = field.Wholes(2, 2, 1, kMaxKernel);
  return {pair[0], pair[1]};
}

const TensorView* ReadTensor(const SafeTensors& file, const JsonField& field) {
  if (!field.Exists()) return nullptr;
  const TensorView& view = file.Get(field.Text());
  file.Floats(field.Text(), view.shape);
  return &view;
}

GraphOp ReadOp(const SafeTensors& file, const JsonField& field) {
  GraphOp op;
  op.name = field.At("op").Text();
  const auto* fact = std::find_if(std::begin(kOps), std::end(kOps),
                                  [&](const OpFact& known) { return op.name == known.name; });
  if (fact == std::end(kOps))
    throw Error(Code::kBadPack, file.path() + ": op " + op.name + " is not known.");
  op.kind = fact->kind;
  op.in = ValueList(field.At("in"));
  op.out = static_cast<size_t>(field.At("out").Whole(1, kMaxValues));
  op.weight = ReadTensor(file, field.At("weight"));
  op.bias = ReadTensor(file, field.At("bias"));
  if (op.kind == OpKind::kPad) op.pads = ReadPads(field.At("pads"));
  if (op.kind == OpKind::kReshape)
    op.shape = field.At("shape").Wholes(1, kMaxDimensions, 1, kMaxElements);
  if (op.kind == OpKind::kConcatenate)
    op.axis = static_cast<size_t>(field.At("axis").Whole(0, kMaxDimensions - 1));
  if (const JsonField stride = field.At("stride"); stride.Exists()) op.stride = ReadPair(stride);
  if (op.kind == OpKind::kMaxPool) op.kernel = ReadPair(field.At("size"));
  if (const JsonField same = field.At("same"); same.Exists()) op.same = same.Flag();
  if (const JsonField relu = field.At("relu"); relu.Exists()) op.relu = relu.Flag();
  return op;
}

// Finds the shapes of all values, in the order of the ops.
class ShapeChecker {
 public:
  ShapeChecker(const std::string& path, NetGraph* graph) : path_(path), graph_(graph) {}

  void Check() {
    const auto& [height, width, channels] = graph_->input;
    graph_->shapes.resize(kMaxValues + 1);
    graph_->shapes[0] = {1, height, width, channels};
    for (place_ = 0; place_ < graph_->ops.size(); ++place_) {
      op_ = &graph_->ops[place_];
      CheckWiring();
      const Shape shape = ShapeOf();
      floats_ += Bound(shape);
      Require(floats_ <= kMaxFloats, "the net is too large");
      Spend(CountOf(shape), 1);
      graph_->shapes[op_->out] = shape;
    }
    for (size_t value : graph_->outputs) {
      if (graph_->shapes[value].empty())
        Fail("output " + std::to_string(value) + " is computed by no op");
    }
  }

 private:
  [[noreturn]] void Fail(const std::string& what) const {
    throw Error(Code::kBadPack,
                path_ + ": its graph cannot be run: " + what + "; build the pack again.");
  }
  void Require(bool holds, const std::string& what) const {
    if (!holds) Fail("op " + std::to_string(place_) + ", " + op_->name + ": " + what);
  }

  const Shape& In(size_t i) const { return graph_->shapes[op_->in[i]]; }

  void CheckWiring() const {
    for (size_t value : op_->in) {
      Require(!graph_->shapes[value].empty(),
              "it takes value " + std::to_string(value) + ", which no op before it computes");
    }
    Require(graph_->shapes[op_->out].empty(),
            "value " + std::to_string(op_->out) + " is computed twice");
    const size_t wanted = op_->kind == OpKind::kAdd ? 2 : 1;
    Require(
        op_->kind == OpKind::kConcatenate || op_->in.size() == wanted,
        "it takes " + std::to_string(op_->in.size()) + " values, wanted " + std::to_string(wanted));
  }

  Shape ShapeOf() {
    switch (op_->kind) {
      case OpKind::kConvolve:
      case OpKind::kDepthwise:
        return OfConvolution();
      case OpKind::kMaxPool:
        return OfWindow(ImageIn()[3], 1);
      case OpKind::kPrelu:
        RequireTensor(op_->weight, "weight");
        Require(op_->weight->Count() == In(0).back() || op_->weight->Count() == 1,
                "it has not one slope a channel");
        return In(0);
      case OpKind::kAdd:
        Require(In(0) == In(1), "its values have different shapes");
        return In(0);
      case OpKind::kRelu:
        return In(0);
      case OpKind::kPad:
        return OfPad();
      case OpKind::kReshape:
        Bound(op_->shape);
        Require(CountOf(op_->shape) == CountOf(In(0)), "its shape holds another number of values");
        return op_->shape;
      case OpKind::kConcatenate:
        return OfConcatenation();
    }
    Fail("op " + op_->name + " is not known");
  }

  const Shape& ImageIn() const {
    Require(In(0).size() == 4 && In(0)[0] == 1, "it takes no image");
    return In(0);
  }

  void RequireTensor(const TensorView* tensor, const std::string& what) const {
    Require(tensor != nullptr, "it has no " + what);
    Require(tensor->Count() > 0 && tensor->Count() <= kMaxElements,
            "its " + what + " is empty or too large");
  }

  Shape OfConvolution() {
    const int64_t channels = ImageIn()[3];
    RequireTensor(op_->weight, "weight");
    const Shape& weight = op_->weight->shape;
    const bool depthwise = op_->kind == OpKind::kDepthwise;
    Require(weight.size() == 4 && weight[1] == (depthwise ? 1 : channels) &&
                (!depthwise || weight[0] == channels),
            "its weight does not fit " + std::to_string(channels) + " channels");
    Require(std::max(weight[2], weight[3]) <= kMaxKernel, "its weight is too large");
    if (op_->bias) {
      Require(op_->bias->shape == Shape{weight[0]}, "it has not one bias an output channel");
    }
    op_->kernel = {weight[2], weight[3]};
    const int64_t blocks = (weight[0] + kChannelBlock - 1) / kChannelBlock;
    weights_ += blocks * kChannelBlock * weight[1] * weight[2] * weight[3];
    Require(weights_ <= kMaxWeights, "the net is too large");
    return OfWindow(weight[0], weight[1]);
  }

  // What a window gives that slides over the image; `depth` multiply-adds a pixel under it.
  Shape OfWindow(int64_t channels, int64_t depth) {
    Shape shape = ImageIn();
    shape[3] = channels;
    for (size_t axis : {0, 1}) {
      const int64_t size = shape[axis + 1], kernel = op_->kernel[axis], stride = op_->stride[axis];
      Require(op_->same || kernel <= size, "its window is larger than the image");
      int64_t& out = shape[axis + 1];
      if (op_->same) {
        // TFLite adds what is odd at the end.
        out = (size + stride - 1) / stride;
        op_->before[axis] = std::max<int64_t>((out - 1) * stride + kernel - size, 0) / 2;
      } else {
        out = (size - kernel) / stride + 1;
      }
    }
    // A convolution may run on a copy with what SAME adds round it.
    floats_ += Bound({shape[1] * op_->stride[0] + op_->kernel[0],
                      shape[2] * op_->stride[1] + op_->kernel[1], In(0)[3]});
    Spend(Bound(shape), op_->kernel[0] * op_->kernel[1] * depth);
    return shape;
  }

  Shape OfPad() const {
    Shape shape = In(0);
    Require(shape.size() == 4, "it takes no image");
    for (size_t axis = 0; axis < 4; ++axis) shape[axis] += op_->pads[axis][0] + op_->pads[axis][1];
    return shape;
  }

  Shape OfConcatenation() const {
    Shape shape = In(0);
    Require(op_->axis < shape.size(), "its values have no axis " + std::to_string(op_->axis));
    for (size_t i = 1; i < op_->in.size(); ++i) {
      Shape other = In(i);
      Require(other.size() == shape.size(), "its values have different shapes");
      shape[op_->axis] += other[op_->axis];
      other[op_->axis] = shape[op_->axis];
      Require(other == shape, "its values have different shapes");
    }
    return shape;
  }

  // The number of values, which must stay where it cannot overflow.
  int64_t Bound(const Shape& shape) const {
    int64_t count = 1;
    for (int64_t size : shape) {
      Require(size <= kMaxElements / count, "its result is too large");
      count *= size;
    }
    return count;
  }

  // Counts what a run costs.
  void Spend(int64_t values, int64_t each) {
    const auto count = static_cast<uint64_t>(values), cost = static_cast<uint64_t>(each);
    Require(cost <= (kMaxWork - graph_->work) / count, "the net takes too long");
    graph_->work += count * cost;
  }

  const std::string& path_;
  NetGraph* graph_;
  int64_t floats_ = 0, weights_ = 0;
  size_t place_ = 0;
  GraphOp* op_ = nullptr;
};

}  // namespace

int64_t CountOf(const Shape& shape) {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  return count;
}

NetGraph ReadNetGraph(const SafeTensors& file) {
  const auto text = file.metadata().find("graph");
  if (text == file.metadata().end()) {
    throw Error(Code::kBadPack, file.path() + ": it holds no graph; build the pack again.");
  }
  const std::string title = file.path() + ": its graph";
  const json document = ParseJson(title, text->second);
  const JsonField field(title, document);
  NetGraph graph;
  graph.input = ReadInput(field.At("input"));
  graph.outputs = ValueList(field.At("outputs"));
  for (const JsonField& op : field.At("ops").Entries()) graph.ops.push_back(ReadOp(file, op));
  ShapeChecker(file.path(), &graph).Check();
  return graph;
}

}  // namespace talkface::vision
