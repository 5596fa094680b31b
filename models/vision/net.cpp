// SPDX-License-Identifier: MIT
#include "models/vision/net.h"

#include <algorithm>
#include <string>

#include "models/core/error.h"
#include "models/vision/net_graph.h"
#include "models/vision/net_plan.h"

namespace talkface::vision {
namespace {

// One run: where its values are.
class Values {
 public:
  Values(const Plan& plan, const NetKernels& kernels, const float* input)
      : plan_(plan), kernels_(kernels), input_(input), memory_(plan.floats) {}

  void Compute(const Step& step) const {
    float* out = At(step.op.out);
    switch (step.op.kind) {
      case OpKind::kConvolve:
        return Convolve(step, out);
      case OpKind::kDepthwise:
        kernels_.depthwise(step.sliding, Of(step.op.in[0]), FilterOf(step), out);
        return ReluWhere(step);
      case OpKind::kMaxPool:
        kernels_.max_pool(step.sliding, Of(step.op.in[0]), out);
        return ReluWhere(step);
      case OpKind::kAdd:
        kernels_.add(Count(step.op.out), Of(step.op.in[0]), Of(step.op.in[1]), out);
        return ReluWhere(step);
      case OpKind::kPrelu: {
        const int64_t channels = plan_.shapes[step.op.out].back();
        return kernels_.prelu(Count(step.op.out) / channels, channels, Of(step.op.in[0]),
                              step.slopes.data(), out);
      }
      case OpKind::kRelu:
        return kernels_.relu(Count(step.op.out), Of(step.op.in[0]), out);
      case OpKind::kPad:
        return Pad(step, out);
      case OpKind::kReshape:
        std::copy_n(Of(step.op.in[0]), Count(step.op.out), out);
        return;
      case OpKind::kConcatenate:
        return Concatenate(step, out);
    }
  }

  const float* Of(size_t value) const { return value == 0 ? input_ : At(value); }
  int64_t Count(size_t value) const { return CountOf(plan_.shapes[value]); }

 private:
  float* At(size_t value) const { return memory_.data() + plan_.places[value]; }

  Filter FilterOf(const Step& step) const {
    Filter filter;
    filter.weights = step.weights.data();
    filter.bias = step.bias.data();
    filter.relu = step.op.relu;
    if (step.has_slopes) filter.slopes = step.slopes.data();
    if (step.residual != kNoValue) {
      filter.residual = Of(step.residual);
      filter.residual_channels = plan_.shapes[step.residual].back();
    }
    return filter;
  }

  void ReluWhere(const Step& step) const {
    float* out = At(step.op.out);
    if (step.op.relu) kernels_.relu(Count(step.op.out), out, out);
  }

  void Convolve(const Step& step, float* out) const {
    const float* in = Of(step.op.in[0]);
    Sliding sliding = step.sliding;
    if (step.copies) {
      const Shape& shape = plan_.shapes[step.op.in[0]];
      float* copy = memory_.data() + step.copy;
      const int64_t row = sliding.in_width * sliding.in_channels;
      const int64_t width = shape[2] * shape[3];
      std::fill_n(copy, sliding.in_height * row, 0.0f);
      float* to = copy + sliding.top * row + sliding.left * sliding.in_channels;
      for (int64_t y = 0; y < shape[1]; ++y) std::copy_n(in + y * width, width, to + y * row);
      in = copy;
      sliding.top = sliding.left = 0;
    }
    kernels_.convolve(sliding, in, FilterOf(step), out);
  }

  void Pad(const Step& step, float* out) const {
    const Shape &from = plan_.shapes[step.op.in[0]], &to = plan_.shapes[step.op.out];
    const auto& pads = step.op.pads;
    const float* in = Of(step.op.in[0]);
    std::fill_n(out, CountOf(to), 0.0f);
    for (int64_t row = 0; row < from[0] * from[1]; ++row) {
      const int64_t batch = row / from[1] + pads[0][0], y = row % from[1] + pads[1][0];
      for (int64_t x = 0; x < from[2]; ++x, in += from[3]) {
        const int64_t pixel = (batch * to[1] + y) * to[2] + x + pads[2][0];
        std::copy_n(in, from[3], out + pixel * to[3] + pads[3][0]);
      }
    }
  }

  void Concatenate(const Step& step, float* out) const {
    const auto from_axis = [&](size_t value) {  // numbers from the axis on
      const Shape& shape = plan_.shapes[value];
      return CountOf(Shape(shape.begin() + static_cast<int64_t>(step.op.axis), shape.end()));
    };
    const int64_t whole = from_axis(step.op.out), repeats = Count(step.op.out) / whole;
    for (size_t value : step.op.in) {
      const int64_t part = from_axis(value);
      for (int64_t i = 0; i < repeats; ++i)
        std::copy_n(Of(value) + i * part, part, out + i * whole);
      out += part;
    }
  }

  const Plan& plan_;
  const NetKernels& kernels_;
  const float* input_;
  FloatBuffer memory_;
};

}  // namespace

Net::Net(std::shared_ptr<const SafeTensors> file, const NetKernels& kernels) : kernels_(kernels) {
  NetGraph graph = ReadNetGraph(*file);
  input_ = graph.input;
  outputs_ = graph.outputs;
  work_ = graph.work;
  plan_ = std::make_unique<const Plan>(MakePlan(graph));
}

Net::~Net() = default;

std::vector<std::vector<float>> Net::Run(const std::vector<float>& input) const {
  const auto wanted = static_cast<size_t>(CountOf(plan_->shapes[0]));
  if (input.size() != wanted) {
    throw Error(Code::kInvalid, "The net's input has " + std::to_string(input.size()) +
                                    " numbers, wanted " + std::to_string(wanted) + ".");
  }
  const Values values(*plan_, kernels_, input.data());
  for (const Step& step : plan_->steps) values.Compute(step);
  std::vector<std::vector<float>> outputs;
  for (size_t value : outputs_) {
    outputs.emplace_back(values.Of(value), values.Of(value) + values.Count(value));
  }
  return outputs;
}

std::vector<size_t> Net::OutputCounts() const {
  std::vector<size_t> counts;
  for (size_t value : outputs_) {
    counts.push_back(static_cast<size_t>(CountOf(plan_->shapes[value])));
  }
  return counts;
}

uint64_t Net::MemoryUse() const { return plan_->weight_bytes; }

uint64_t Net::RunMemory() const { return sizeof(float) * plan_->floats; }

}  // namespace talkface::vision
