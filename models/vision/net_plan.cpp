// SPDX-License-Identifier: MIT
#include "models/vision/net_plan.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace talkface::vision {
namespace {

constexpr size_t kNone = SIZE_MAX;

// Which ops a convolution takes over: places in the graph's list, or kNone.
struct Chain {
  size_t sum = kNone, activation = kNone;
  size_t residual = kNoValue;
};

class Fuser {
 public:
  explicit Fuser(const NetGraph& graph)
      : graph_(graph), chains_(graph.ops.size()), owner_(graph.ops.size(), kNone) {
    users_.resize(graph.shapes.size());
    maker_.resize(graph.shapes.size(), kNone);
    for (size_t place = 0; place < graph.ops.size(); ++place) {
      for (size_t value : graph.ops[place].in) users_[value].push_back(place);
      maker_[graph.ops[place].out] = place;
    }
    for (size_t value : graph.outputs) users_[value].push_back(kNone);
    for (size_t place = 0; place < graph.ops.size(); ++place) Extend(place);
  }

  const Chain& chain(size_t place) const { return chains_[place]; }
  // The convolution that takes the op over, or that does not need it; or kNone.
  size_t owner(size_t place) const { return owner_[place]; }
  // Where a convolution runs: in place of the last op it takes over.
  size_t End(size_t place) const {
    const Chain& chain = chains_[place];
    return chain.activation != kNone ? chain.activation : chain.sum != kNone ? chain.sum : place;
  }

 private:
  // The only op that takes a value, or kNone.
  size_t OnlyUser(size_t value) const {
    return users_[value].size() == 1 ? users_[value][0] : kNone;
  }

  void Extend(size_t place) {
    const GraphOp& conv = graph_.ops[place];
    if (conv.kind != OpKind::kConvolve || conv.relu) return;
    Chain& chain = chains_[place];
    size_t next = OnlyUser(conv.out);
    if (next != kNone && graph_.ops[next].kind == OpKind::kAdd && owner_[next] == kNone) {
      const GraphOp& sum = graph_.ops[next];
      chain.sum = next;
      owner_[next] = place;
      chain.residual = Unpadded(sum.in[sum.in[0] == conv.out ? 1 : 0], place);
      next = sum.relu ? kNone : OnlyUser(sum.out);
    }
    if (next == kNone) return;
    const OpKind kind = graph_.ops[next].kind;
    if (kind != OpKind::kPrelu && kind != OpKind::kRelu) return;
    chain.activation = next;
    owner_[next] = place;
  }

  // What a value is without channels of zeros at its end, where only this sum wants them.
  size_t Unpadded(size_t value, size_t place) {
    const size_t maker = maker_[value];
    if (maker == kNone || graph_.ops[maker].kind != OpKind::kPad) return value;
    if (OnlyUser(value) == kNone) return value;
    auto pads = graph_.ops[maker].pads;
    pads[3][1] = 0;
    if (pads != decltype(pads){}) return value;
    owner_[maker] = place;
    return graph_.ops[maker].in[0];
  }

  const NetGraph& graph_;
  std::vector<Chain> chains_;
  std::vector<size_t> owner_, maker_;
  std::vector<std::vector<size_t>> users_;
};

int64_t WholeBlocks(int64_t channels) {
  return (channels + kChannelBlock - 1) / kChannelBlock * kChannelBlock;
}

Sliding SlidingOf(const GraphOp& op, const Shape& in, const Shape& out) {
  Sliding s{};
  s.in_height = in[1], s.in_width = in[2], s.in_channels = in[3];
  s.out_height = out[1], s.out_width = out[2], s.out_channels = out[3];
  s.kernel_height = op.kernel[0], s.kernel_width = op.kernel[1];
  s.stride_y = op.stride[0], s.stride_x = op.stride[1];
  s.top = op.before[0], s.left = op.before[1];
  return s;
}

FloatBuffer Zeros(int64_t count) {
  FloatBuffer buffer(static_cast<size_t>(count));
  std::fill_n(buffer.data(), count, 0.0f);
  return buffer;
}

// A vector of one number a channel, or of one for all, filled up with zeros.
FloatBuffer PerChannel(const TensorView* tensor, int64_t channels) {
  FloatBuffer buffer = Zeros(WholeBlocks(channels));
  if (!tensor) return buffer;
  const auto* from = static_cast<const float*>(tensor->data);
  for (int64_t c = 0; c < channels; ++c) buffer[c] = from[tensor->Count() == 1 ? 0 : c];
  return buffer;
}

// From [out][in][height][width] to the order that NetKernels::convolve wants.
FloatBuffer PackConvolution(const GraphOp& op) {
  const Shape& shape = op.weight->shape;
  const int64_t depth = shape[1], taps = shape[2] * shape[3];
  FloatBuffer packed = Zeros(WholeBlocks(shape[0]) * depth * taps);
  const float* from = op.Weights();
  for (int64_t o = 0; o < shape[0]; ++o) {
    float* block = packed.data() + o / kChannelBlock * kChannelBlock * depth * taps;
    for (int64_t i = 0; i < depth; ++i) {
      for (int64_t tap = 0; tap < taps; ++tap)
        block[(tap * depth + i) * kChannelBlock + o % kChannelBlock] = *from++;
    }
  }
  return packed;
}

FloatBuffer PackDepthwise(const GraphOp& op) {
  const int64_t channels = op.weight->shape[0], taps = op.kernel[0] * op.kernel[1];
  FloatBuffer packed(static_cast<size_t>(channels * taps));
  const float* from = op.Weights();
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t tap = 0; tap < taps; ++tap) packed[tap * channels + c] = *from++;
  }
  return packed;
}

// What a convolution slides over: a copy where SAME adds something; without steps between the
// pixels all rows are one.
void PrepareConvolution(Step* step) {
  Sliding& s = step->sliding;
  const int64_t height = (s.out_height - 1) * s.stride_y + s.kernel_height;
  const int64_t width = (s.out_width - 1) * s.stride_x + s.kernel_width;
  step->copies = s.top > 0 || s.left > 0 || height > s.in_height || width > s.in_width;
  if (step->copies) {  // a stride may leave out the image's last rows or columns
    s.in_height = std::max(height, s.in_height);
    s.in_width = std::max(width, s.in_width);
  }
  if (s.kernel_height == 1 && s.kernel_width == 1 && s.stride_y == 1 && s.stride_x == 1) {
    s.in_width *= s.in_height, s.out_width *= s.out_height;
    s.in_height = s.out_height = 1;
  }
}

Step MakeStep(const NetGraph& graph, const GraphOp& op) {
  Step step;
  step.op = op;
  const Shape &in = graph.shapes[op.in[0]], &out = graph.shapes[op.out];
  switch (op.kind) {
    case OpKind::kConvolve:
      step.sliding = SlidingOf(op, in, out);
      PrepareConvolution(&step);
      step.weights = PackConvolution(op);
      step.bias = PerChannel(op.bias, out[3]);
      break;
    case OpKind::kDepthwise:
      step.sliding = SlidingOf(op, in, out);
      step.weights = PackDepthwise(op);
      step.bias = PerChannel(op.bias, out[3]);
      break;
    case OpKind::kMaxPool:
      step.sliding = SlidingOf(op, in, out);
      break;
    case OpKind::kPrelu:
      step.slopes = PerChannel(op.weight, out.back());
      break;
    default:
      break;
  }
  return step;
}

Step MakeChain(const NetGraph& graph, const GraphOp& conv, const Chain& chain) {
  Step step = MakeStep(graph, conv);
  step.residual = chain.residual;
  if (chain.sum != kNone) {
    step.op.out = graph.ops[chain.sum].out;
    step.op.relu = graph.ops[chain.sum].relu;
  }
  if (chain.activation != kNone) {
    const GraphOp& activation = graph.ops[chain.activation];
    step.op.out = activation.out;
    step.op.relu = activation.kind == OpKind::kRelu;
    step.has_slopes = activation.kind == OpKind::kPrelu;
    if (step.has_slopes) step.slopes = PerChannel(activation.weight, step.sliding.out_channels);
  }
  return step;
}

// Hands out places so that values which are alive together never overlap, the lowest first.
class Places {
 public:
  // A place for use up to and including the step `last`; the current step is `now`.
  size_t Take(int64_t count, size_t now, size_t last) {
    constexpr size_t kLine = 16;  // floats of a cache line
    const size_t size = (static_cast<size_t>(count) + kLine - 1) / kLine * kLine;
    taken_.erase(std::remove_if(taken_.begin(), taken_.end(),
                                [&](const Taken& taken) { return taken.last < now; }),
                 taken_.end());
    size_t place = 0;
    auto at = taken_.begin();
    for (; at != taken_.end() && at->place < place + size; ++at) place = at->place + at->size;
    taken_.insert(at, {place, size, last});
    floats_ = std::max(floats_, place + size);
    return place;
  }
  size_t floats() const { return floats_; }

 private:
  struct Taken {
    size_t place, size, last;
  };
  std::vector<Taken> taken_;  // by place
  size_t floats_ = 0;
};

void PlaceValues(const NetGraph& graph, Plan* plan) {
  std::vector<size_t> last(graph.shapes.size(), 0);
  for (size_t i = 0; i < plan->steps.size(); ++i) {
    const Step& step = plan->steps[i];
    last[step.op.out] = i;
    for (size_t value : step.op.in) last[value] = i;
    if (step.residual != kNoValue) last[step.residual] = i;
  }
  for (size_t value : graph.outputs) last[value] = plan->steps.size();
  Places places;
  plan->places.resize(graph.shapes.size(), 0);
  for (size_t i = 0; i < plan->steps.size(); ++i) {
    Step& step = plan->steps[i];
    plan->places[step.op.out] =
        places.Take(CountOf(graph.shapes[step.op.out]), i, last[step.op.out]);
    const Sliding& s = step.sliding;
    if (step.copies) step.copy = places.Take(s.in_height * s.in_width * s.in_channels, i, i);
  }
  plan->floats = places.floats();
}

}  // namespace

Plan MakePlan(const NetGraph& graph) {
  const Fuser fuser(graph);
  std::vector<size_t> conv_at(graph.ops.size(), kNone);  // by where it runs
  for (size_t place = 0; place < graph.ops.size(); ++place) {
    if (graph.ops[place].kind == OpKind::kConvolve) conv_at[fuser.End(place)] = place;
  }
  Plan plan;
  plan.shapes = graph.shapes;
  for (size_t place = 0; place < graph.ops.size(); ++place) {
    const GraphOp& op = graph.ops[place];
    if (conv_at[place] != kNone) {
      const size_t conv = conv_at[place];
      plan.steps.push_back(MakeChain(graph, graph.ops[conv], fuser.chain(conv)));
    } else if (op.kind != OpKind::kConvolve && fuser.owner(place) == kNone) {
      plan.steps.push_back(MakeStep(graph, op));
    }
  }
  for (const Step& step : plan.steps) {
    plan.weight_bytes +=
        sizeof(float) * (step.weights.size() + step.bias.size() + step.slopes.size());
  }
  PlaceValues(graph, &plan);
  return plan;
}

}  // namespace talkface::vision
