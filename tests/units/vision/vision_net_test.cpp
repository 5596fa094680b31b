// SPDX-License-Identifier: MIT
// The runner of converted tflite nets against plain loops that follow TFLite's definitions.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "models/vision/net.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::vision {
namespace {

using nlohmann::json;

std::vector<float> Random(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(random);
  return values;
}

struct Image {  // channels last
  int height, width, channels;
  std::vector<float> values;
  float At(int y, int x, int c) const { return values[(y * width + x) * channels + c]; }
};

Image RandomImage(int height, int width, int channels) {
  return {height, width, channels, Random(height * width * channels, 1)};
}

struct Weights {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

// Runs a graph of `ops` on `image`; `weights` by tensor name.
std::vector<std::vector<float>> RunGraph(const Image& image, const json& ops,
                                         const std::map<std::string, Weights>& weights,
                                         const std::vector<int>& outputs = {1}) {
  const test::TemporaryFolder folder;
  std::map<std::string, TensorSource> tensors;
  for (const auto& [name, weight] : weights) {
    tensors[name] = {DType::kF32, weight.shape, weight.values.data()};
  }
  const json graph = {
      {"input", {image.height, image.width, image.channels}}, {"outputs", outputs}, {"ops", ops}};
  WriteSafeTensors(folder / "net.safetensors", tensors, {{"graph", graph.dump()}});
  return Net(SafeTensors::Open(folder / "net.safetensors")).Run(image.values);
}

void ExpectNear(const std::vector<float>& got, const std::vector<float>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], wanted[i], 1e-5) << "at " << i;
}

struct Window {
  int kernel, stride;
  bool same;
};

// Calls visit(out_y, out_x, top, left) for every place of a window; SAME padding as TFLite's: what
// is odd goes to the end.
void Slide(const Image& image, const Window& window, const std::function<void(int, int)>& visit) {
  const auto count = [&](int size) {
    return window.same ? (size + window.stride - 1) / window.stride
                       : (size - window.kernel) / window.stride + 1;
  };
  const auto before = [&](int size) {
    const int total = std::max((count(size) - 1) * window.stride + window.kernel - size, 0);
    return window.same ? total / 2 : 0;
  };
  for (int y = 0; y < count(image.height); ++y) {
    for (int x = 0; x < count(image.width); ++x) {
      visit(y * window.stride - before(image.height), x * window.stride - before(image.width));
    }
  }
}

// Calls visit(y, x, ky, kx) for the pixels of the image under a kernel placed at (top, left).
void Under(const Image& image, int kernel, int top, int left,
           const std::function<void(int, int, int, int)>& visit) {
  for (int ky = 0; ky < kernel; ++ky) {
    for (int kx = 0; kx < kernel; ++kx) {
      const int y = top + ky, x = left + kx;
      if (y >= 0 && x >= 0 && y < image.height && x < image.width) visit(y, x, ky, kx);
    }
  }
}

json WindowOp(const char* name, const Window& window) {
  return {
      {"op", name},          {"in", {0}},    {"out", 1}, {"stride", {window.stride, window.stride}},
      {"same", window.same}, {"relu", false}};
}

const Window kWindows[] = {{3, 1, true},  {3, 2, true},  {5, 2, true},
                           {3, 1, false}, {3, 3, false}, {1, 1, false}};
const Image kImages[] = {RandomImage(8, 8, 4), RandomImage(9, 6, 4)};  // even, odd

TEST(Net, ConvolvesAsTfliteDoes) {
  for (const Image& image : kImages) {
    for (const Window& window : kWindows) {
      const int k = window.kernel, out_channels = 5;
      const Weights weight{{out_channels, 4, k, k}, Random(out_channels * 4 * k * k, 2)};
      const Weights bias{{out_channels}, Random(out_channels, 3)};
      std::vector<float> wanted;
      Slide(image, window, [&](int top, int left) {
        for (int o = 0; o < out_channels; ++o) {
          float sum = bias.values[o];
          Under(image, k, top, left, [&](int y, int x, int ky, int kx) {
            for (int c = 0; c < 4; ++c) {
              sum += image.At(y, x, c) * weight.values[((o * 4 + c) * k + ky) * k + kx];
            }
          });
          wanted.push_back(sum);
        }
      });
      json op = WindowOp("CONV_2D", window);
      op.update({{"weight", "w"}, {"bias", "b"}});
      ExpectNear(RunGraph(image, json::array({op}), {{"w", weight}, {"b", bias}})[0], wanted);
      op["relu"] = true;
      for (float& value : wanted) value = std::max(value, 0.0f);
      ExpectNear(RunGraph(image, json::array({op}), {{"w", weight}, {"b", bias}})[0], wanted);
    }
  }
}

TEST(Net, ConvolvesByDepthAsTfliteDoes) {
  for (const Image& image : kImages) {
    for (const Window& window : kWindows) {
      const int k = window.kernel;
      const Weights weight{{4, 1, k, k}, Random(4 * k * k, 2)}, bias{{4}, Random(4, 3)};
      std::vector<float> wanted;
      Slide(image, window, [&](int top, int left) {
        for (int c = 0; c < 4; ++c) {
          float sum = bias.values[c];
          Under(image, k, top, left, [&](int y, int x, int ky, int kx) {
            sum += image.At(y, x, c) * weight.values[(c * k + ky) * k + kx];
          });
          wanted.push_back(sum);
        }
      });
      json op = WindowOp("DEPTHWISE_CONV_2D", window);
      op.update({{"weight", "w"}, {"bias", "b"}});
      ExpectNear(RunGraph(image, json::array({op}), {{"w", weight}, {"b", bias}})[0], wanted);
    }
  }
}

TEST(Net, PoolsAsTfliteDoes) {
  for (const Image& image : kImages) {
    for (const Window& window : kWindows) {
      std::vector<float> wanted;
      Slide(image, window, [&](int top, int left) {
        for (int c = 0; c < 4; ++c) {
          float most = -1e9f;
          Under(image, window.kernel, top, left,
                [&](int y, int x, int, int) { most = std::max(most, image.At(y, x, c)); });
          wanted.push_back(most);
        }
      });
      json op = WindowOp("MAX_POOL_2D", window);
      op["size"] = {window.kernel, window.kernel};
      ExpectNear(RunGraph(image, json::array({op}), {})[0], wanted);
    }
  }
}

TEST(Net, AppliesSlopesSumsAndRelu) {
  const Image image = RandomImage(3, 5, 4);
  const Weights slope{{4}, {0.5f, -1, 0, 2}};
  const json ops = {{{"op", "PRELU"}, {"in", {0}}, {"out", 1}, {"weight", "a"}},
                    {{"op", "ADD"}, {"in", {0, 1}}, {"out", 2}, {"relu", false}},
                    {{"op", "RELU"}, {"in", {2}}, {"out", 3}}};
  const auto got = RunGraph(image, ops, {{"a", slope}}, {1, 2, 3});
  std::vector<float> prelu, sum, relu;
  for (size_t i = 0; i < image.values.size(); ++i) {
    const float x = image.values[i];
    prelu.push_back(x < 0 ? slope.values[i % 4] * x : x);
    sum.push_back(x + prelu.back());
    relu.push_back(std::max(sum.back(), 0.0f));
  }
  ExpectNear(got[0], prelu);
  ExpectNear(got[1], sum);
  ExpectNear(got[2], relu);
}

TEST(Net, PadsReshapesAndJoinsInChannelsLastOrder) {
  const Image image = RandomImage(3, 5, 4);
  const json ops = {
      {{"op", "PAD"}, {"in", {0}}, {"out", 1}, {"pads", {{0, 0}, {1, 0}, {0, 2}, {0, 3}}}},
      {{"op", "RESHAPE"}, {"in", {0}}, {"out", 2}, {"shape", {1, 30, 2}}},
      {{"op", "CONCATENATION"}, {"in", {2, 2}}, {"out", 3}, {"axis", 1}},
      {{"op", "CONCATENATION"}, {"in", {0, 0}}, {"out", 4}, {"axis", 3}}};
  const auto got = RunGraph(image, ops, {}, {1, 2, 3, 4});
  std::vector<float> padded(4 * 7 * 7, 0.0f), twice = image.values, beside;
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 5; ++x) {
      for (int c = 0; c < 4; ++c) padded[((y + 1) * 7 + x) * 7 + c] = image.At(y, x, c);
      for (int c = 0; c < 8; ++c) beside.push_back(image.At(y, x, c % 4));
    }
  }
  twice.insert(twice.end(), image.values.begin(), image.values.end());
  ExpectNear(got[0], padded);
  ExpectNear(got[1], image.values);
  ExpectNear(got[2], twice);
  ExpectNear(got[3], beside);
}

TEST(Net, RefusesGraphsThatCannotRun) {
  const Image image = RandomImage(3, 5, 4);
  const json tanh = {{"op", "TANH"}, {"in", {0}}, {"out", 1}};
  const json dangling = {{"op", "RELU"}, {"in", {7}}, {"out", 1}};
  EXPECT_ERROR(RunGraph(image, json::array({tanh}), {}), Code::kBadPack, "net.safetensors", "TANH");
  EXPECT_ERROR(RunGraph(image, json::array({dangling}), {}), Code::kBadPack, "net.safetensors",
               "graph");
  const json narrow = {{"op", "PRELU"}, {"in", {0}}, {"out", 1}, {"weight", "a"}};
  EXPECT_ERROR(RunGraph(image, json::array({narrow}), {{"a", {{3}, {1, 1, 1}}}}), Code::kBadPack,
               "net.safetensors", "graph");
  EXPECT_ERROR(RunGraph(image, json::array({narrow}), {}), Code::kBadPack, "net.safetensors", "a");
}

TEST(Net, EveryWrongNumberOfAGraphIsNamed) {
  const Image image = RandomImage(3, 5, 4);
  const json pool = {{"op", "MAX_POOL_2D"}, {"in", {0}}, {"out", 1}, {"size", {2, 2}}};
  const json pad = {{"op", "PAD"}, {"in", {0}}, {"out", 1}};
  const json join = {{"op", "CONCATENATION"}, {"in", {0, 0}}, {"out", 1}};
  struct Case {
    json op;
    const char* field;
    json value;
    const char* said;
  };
  const Case cases[] = {
      {pool, "in", {-1}, "ops[0].in is [-1], wanted 1 to 64 numbers"},
      {pool, "in", {1e300}, "ops[0].in is [1e+300], wanted"},
      {pool, "in", json::array(), "ops[0].in is [], wanted"},
      {pool, "out", 1e18, "ops[0].out is 1e+18, wanted 1 to"},
      {pool, "out", UINT64_MAX, "ops[0].out is 18446744073709551615, wanted 1 to"},
      {pool, "stride", {0, 1}, "ops[0].stride is [0,1], wanted 2 numbers, each 1 to"},
      {pool, "size", {2}, "ops[0].size is [2], wanted 2 numbers"},
      {pool, "size", nullptr, "ops[0].size is null, wanted 2 numbers"},
      {pool, "same", 1, "ops[0].same is 1, wanted true or false"},
      {pad, "pads", {{0, 0}}, "ops[0].pads is [[0,0]], wanted 4 lists"},
      {pad, "pads", {{0, 0}, {0, 1e30}, {0, 0}, {0, 0}}, "ops[0].pads[1] is [0,1e+30], wanted"},
      {join, "axis", 4, "ops[0].axis is 4, wanted 0 to 3"},
      {join, "axis", 0.5, "ops[0].axis is 0.5, wanted 0 to 3"},
  };
  for (const Case& wrong : cases) {
    json op = wrong.op;
    op[wrong.field] = wrong.value;
    EXPECT_ERROR(RunGraph(image, json::array({op}), {}), Code::kBadPack, "its graph", wrong.said);
  }
  EXPECT_ERROR(RunGraph({3, 5, 5000, {}}, json::array({pool}), {}), Code::kBadPack,
               "its graph: input[2] is 5000, wanted 1 to 16");
  EXPECT_ERROR(RunGraph(image, json::array({pool}), {}, {-1}), Code::kBadPack,
               "its graph: outputs is [-1], wanted");
}

}  // namespace
}  // namespace talkface::vision
