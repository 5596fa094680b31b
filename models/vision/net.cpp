// SPDX-License-Identifier: MIT
#include "models/vision/net.h"

#include <torch/torch.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "models/core/checked_json.h"
#include "models/core/error.h"

namespace talkface::vision {

using at::Tensor;
using nlohmann::json;

// One op of the graph, read once. Spatial activations are 1 x C x H x W while the graph speaks of
// 1 x H x W x C.
struct NetNode {
  std::vector<size_t> in;  // values
  size_t out = 0;
  Tensor weight, bias;
  std::vector<int64_t> stride = {1, 1}, size;
  std::vector<int64_t> shape;  // RESHAPE: channels last
  std::vector<int64_t> pads;   // PAD: as constant_pad_nd wants them, last dimension first
  int64_t axis = 0;            // CONCATENATION: channels last
  bool same = false, relu = false;
  Tensor (*run)(const NetNode& node, const std::vector<Tensor>& in) = nullptr;
};

namespace {

// What TFLite adds to one spatial dimension under SAME padding: the odd pixel goes to the end.
std::pair<int64_t, int64_t> SamePads(int64_t size, int64_t kernel, int64_t stride) {
  const int64_t out = (size + stride - 1) / stride;
  const int64_t total = std::max<int64_t>((out - 1) * stride + kernel - size, 0);
  return {total / 2, total - total / 2};
}

// `x` padded for a kernel where the node asks for it; what can be left to the op itself goes into
// `inner` (equal pads on both sides, zeros).
Tensor PadForKernel(const NetNode& node, const Tensor& x, int64_t height, int64_t width,
                    std::array<int64_t, 2>* inner, double fill) {
  *inner = {0, 0};
  if (!node.same) return x;
  const auto [top, bottom] = SamePads(x.size(2), height, node.stride[0]);
  const auto [left, right] = SamePads(x.size(3), width, node.stride[1]);
  if (top == bottom && left == right && fill == 0) {
    *inner = {top, left};
    return x;
  }
  return at::constant_pad_nd(x, {left, right, top, bottom}, fill);
}

Tensor Activate(const NetNode& node, Tensor x) { return node.relu ? at::relu_(x) : x; }

Tensor RunConvolution(const NetNode& node, const Tensor& x, int64_t groups) {
  std::array<int64_t, 2> inner;
  const Tensor padded =
      PadForKernel(node, x, node.weight.size(2), node.weight.size(3), &inner, 0.0);
  return Activate(node,
                  at::conv2d(padded, node.weight, node.bias, node.stride, inner, {1, 1}, groups));
}

Tensor RunConv(const NetNode& node, const std::vector<Tensor>& in) {
  return RunConvolution(node, in[0], 1);
}

Tensor RunDepthwise(const NetNode& node, const std::vector<Tensor>& in) {
  return RunConvolution(node, in[0], in[0].size(1));
}

Tensor RunMaxPool(const NetNode& node, const std::vector<Tensor>& in) {
  std::array<int64_t, 2> inner;
  const Tensor padded = PadForKernel(node, in[0], node.size[0], node.size[1], &inner,
                                     -std::numeric_limits<double>::infinity());
  return Activate(node, at::max_pool2d(padded, node.size, node.stride, inner));
}

Tensor RunPrelu(const NetNode& node, const std::vector<Tensor>& in) {
  return at::prelu(in[0], node.weight);
}

Tensor RunAdd(const NetNode& node, const std::vector<Tensor>& in) {
  return Activate(node, at::add(in.at(0), in.at(1)));
}

Tensor RunRelu(const NetNode&, const std::vector<Tensor>& in) { return at::relu(in[0]); }

Tensor RunPad(const NetNode& node, const std::vector<Tensor>& in) {
  return at::constant_pad_nd(in[0], node.pads);
}

Tensor ChannelsLast(const Tensor& x) { return x.dim() == 4 ? x.permute({0, 2, 3, 1}) : x; }

Tensor RunReshape(const NetNode& node, const std::vector<Tensor>& in) {
  const Tensor x = ChannelsLast(in[0]).reshape(node.shape);
  return x.dim() == 4 ? x.permute({0, 3, 1, 2}) : x;
}

Tensor RunConcatenation(const NetNode& node, const std::vector<Tensor>& in) {
  constexpr int64_t kPlace[] = {0, 2, 3, 1};  // of a channels-last axis
  return at::cat(in, in[0].dim() == 4 ? kPlace[node.axis] : node.axis);
}

struct OpFact {
  const char* name;
  Tensor (*run)(const NetNode&, const std::vector<Tensor>&);
};
constexpr OpFact kOps[] = {
    {"CONV_2D", RunConv},
    {"DEPTHWISE_CONV_2D", RunDepthwise},
    {"MAX_POOL_2D", RunMaxPool},
    {"PRELU", RunPrelu},
    {"ADD", RunAdd},
    {"RELU", RunRelu},
    {"PAD", RunPad},
    {"RESHAPE", RunReshape},
    {"CONCATENATION", RunConcatenation},
};

Tensor Load(const SafeTensors& file, const std::string& name) {
  const TensorView& view = file.Get(name);
  const float* data = file.Floats(name, view.shape);
  const Tensor tensor = at::from_blob(const_cast<float*>(data), view.shape, at::kFloat);
  return tensor.clone(tensor.dim() == 4 ? at::MemoryFormat::ChannelsLast
                                        : at::MemoryFormat::Contiguous);
}

// Ranges far beyond any face net, in which no size computed from them can overflow.
constexpr int64_t kMaxSide = 1024, kMaxKernel = 64, kMaxChannels = 16, kMaxElements = 1 << 24;
constexpr int64_t kMaxValues = 4096;
constexpr size_t kMaxJoined = 64, kMaxDimensions = 4;

std::vector<int64_t> PadList(const JsonField& field) {
  const std::vector<JsonField> axes = field.Entries();
  if (axes.size() != 4) field.Reject("4 lists");
  std::vector<int64_t> list;
  for (size_t axis : {2, 1, 3, 0}) {  // width, height, channels, batch
    const std::vector<int64_t> pads = axes[axis].Wholes(2, 2, 0, kMaxSide);
    list.insert(list.end(), pads.begin(), pads.end());
  }
  return list;
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

void ReadWindow(const JsonField& op, bool needs_size, NetNode* node) {
  if (const JsonField stride = op.At("stride"); stride.Exists())
    node->stride = stride.Wholes(2, 2, 1, kMaxKernel);
  if (needs_size) node->size = op.At("size").Wholes(2, 2, 1, kMaxKernel);
  if (const JsonField same = op.At("same"); same.Exists()) node->same = same.Flag();
  if (const JsonField relu = op.At("relu"); relu.Exists()) node->relu = relu.Flag();
}

NetNode ReadNode(const SafeTensors& file, const JsonField& op) {
  NetNode node;
  const std::string name = op.At("op").Text();
  for (const OpFact& fact : kOps) {
    if (name == fact.name) node.run = fact.run;
  }
  if (!node.run) throw Error(Code::kBadPack, file.path() + ": op " + name + " is not known.");
  node.in = ValueList(op.At("in"));
  node.out = static_cast<size_t>(op.At("out").Whole(1, kMaxValues));
  if (const JsonField weight = op.At("weight"); weight.Exists())
    node.weight = Load(file, weight.Text());
  if (const JsonField bias = op.At("bias"); bias.Exists()) node.bias = Load(file, bias.Text());
  if (node.run == RunPad) node.pads = PadList(op.At("pads"));
  if (node.run == RunReshape)
    node.shape = op.At("shape").Wholes(1, kMaxDimensions, 1, kMaxElements);
  if (node.run == RunConcatenation) node.axis = op.At("axis").Whole(0, kMaxDimensions - 1);
  ReadWindow(op, node.run == RunMaxPool, &node);
  return node;
}

}  // namespace

struct Net::Graph {
  std::array<int64_t, 3> input{};
  std::vector<NetNode> nodes;
  std::vector<size_t> outputs;
  size_t value_count = 1;
  uint64_t bytes = 0;
};

void Net::RequireRuntime() {}

Net::Net(std::shared_ptr<const SafeTensors> file) {
  const c10::InferenceMode inference;
  auto graph = std::make_unique<Graph>();
  try {
    const std::string title = file->path() + ": its graph";
    const json document = ParseJson(title, file->metadata().at("graph"));
    const JsonField text(title, document);
    graph->input = ReadInput(text.At("input"));
    graph->outputs = ValueList(text.At("outputs"));
    for (const JsonField& op : text.At("ops").Entries()) {
      graph->nodes.push_back(ReadNode(*file, op));
      graph->value_count = std::max(graph->value_count, graph->nodes.back().out + 1);
    }
    graph->bytes = file->bytes();
    graph_ = std::move(graph);
    // A first run on black shows whether shapes and wiring fit together.
    Run(std::vector<float>(graph_->input[0] * graph_->input[1] * graph_->input[2], 0.0f));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(Code::kBadPack, file->path() + ": its graph cannot be run; build the pack again.",
                error.what());
  }
}

Net::~Net() = default;

std::vector<std::vector<float>> Net::Run(const std::vector<float>& input) const {
  const c10::InferenceMode inference;
  if (at::get_num_threads() != 1) at::set_num_threads(1);
  const auto& [height, width, channels] = graph_->input;
  std::vector<Tensor> values(graph_->value_count);
  values[0] = at::from_blob(const_cast<float*>(input.data()), {1, height, width, channels})
                  .permute({0, 3, 1, 2});
  for (const NetNode& node : graph_->nodes) {
    std::vector<Tensor> in;
    for (size_t value : node.in) in.push_back(values.at(value));
    values[node.out] = node.run(node, in);
  }
  std::vector<std::vector<float>> outputs;
  for (size_t value : graph_->outputs) {
    const Tensor flat = ChannelsLast(values.at(value)).contiguous();
    const float* data = flat.data_ptr<float>();
    outputs.emplace_back(data, data + flat.numel());
  }
  return outputs;
}

const std::array<int64_t, 3>& Net::InputShape() const { return graph_->input; }

uint64_t Net::MemoryUse() const { return graph_->bytes; }

}  // namespace talkface::vision
