// SPDX-License-Identifier: MIT
// The runner of converted tflite nets against plain loops that follow TFLite's definitions.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "tests/units/support/expect_error.h"
#include "tests/units/support/net_graph.h"

namespace talkface::vision {
namespace {

using nlohmann::json;

struct Window {
  int height, width, stride_y, stride_x;
  bool same;
};

// The places of a window along one side; SAME padding as TFLite's: what is odd goes to the end.
struct Places {
  int count, before;
  Places(int size, int kernel, int stride, bool same)
      : count(same ? (size + stride - 1) / stride : (size - kernel) / stride + 1),
        before(same ? std::max((count - 1) * stride + kernel - size, 0) / 2 : 0) {}
};

// Calls visit(top, left) for every place of a window.
void Slide(const Image& image, const Window& window, const std::function<void(int, int)>& visit) {
  const Places rows(image.height, window.height, window.stride_y, window.same);
  const Places columns(image.width, window.width, window.stride_x, window.same);
  for (int y = 0; y < rows.count; ++y) {
    for (int x = 0; x < columns.count; ++x)
      visit(y * window.stride_y - rows.before, x * window.stride_x - columns.before);
  }
}

// Calls visit(y, x, tap) for the pixels of the image under a window placed at (top, left).
void Under(const Image& image, const Window& window, int top, int left,
           const std::function<void(int, int, int)>& visit) {
  for (int tap = 0; tap < window.height * window.width; ++tap) {
    const int y = top + tap / window.width, x = left + tap % window.width;
    if (y >= 0 && x >= 0 && y < image.height && x < image.width) visit(y, x, tap);
  }
}

json WindowOp(const char* name, const Window& window) {
  return {{"op", name},
          {"in", {0}},
          {"out", 1},
          {"stride", {window.stride_y, window.stride_x}},
          {"same", window.same},
          {"relu", false}};
}

const Window kWindows[] = {{3, 3, 1, 1, true},  {3, 3, 2, 2, true},  {5, 5, 2, 2, true},
                           {3, 3, 1, 1, false}, {3, 3, 3, 3, false}, {1, 1, 1, 1, false},
                           {1, 1, 2, 2, true},  {2, 2, 2, 2, true},  {2, 4, 1, 3, true},
                           {4, 1, 3, 2, false}, {5, 2, 1, 1, true},  {1, 1, 3, 1, false},
                           {1, 3, 3, 1, true},  {3, 1, 1, 4, true}};
// Even and odd sizes; channels below, at and beyond those of every vector.
const Image kImages[] = {RandomImage(8, 8, 4),   RandomImage(9, 6, 4),   RandomImage(7, 5, 1),
                         RandomImage(5, 11, 3),  RandomImage(6, 7, 17),  RandomImage(10, 9, 33),
                         RandomImage(13, 5, 24), RandomImage(5, 117, 16)};

// The net's input has at most 16 channels, so further ones are padded on, then given values by a
// second input: the image beside itself.
struct Wide {
  Image input;
  json ops = json::array();
  int value = 0;  // that has the image's channels
  Image image;
};

Wide Widen(const Image& image) {
  Wide wide;
  wide.image = wide.input = image;
  if (image.channels <= 16) return wide;
  const int part = (image.channels + 2) / 3;
  wide.input = RandomImage(image.height, image.width, part);
  wide.image = RandomImage(image.height, image.width, 3 * part);
  for (size_t i = 0; i < wide.image.values.size(); ++i)
    wide.image.values[i] = wide.input.values[i / (3 * part) * part + i % part];
  wide.value = 2;
  wide.ops.push_back({{"op", "CONCATENATION"}, {"in", {0, 0, 0}}, {"out", 2}, {"axis", 3}});
  return wide;
}

// Runs one op that slides a window over every image; `wanted` computes what must come out.
void ForWindows(const std::function<json(const Window&, const Image&, WeightMap*)>& make,
                const std::function<Outputs(const Window&, const Image&, WeightMap&)>& wanted) {
  for (const Image& image : kImages) {
    const Wide wide = Widen(image);
    for (const Window& window : kWindows) {
      WeightMap weights;
      json ops = wide.ops, op = make(window, wide.image, &weights);
      op["in"] = {wide.value};
      const Outputs plain = wanted(window, wide.image, weights);
      ops.push_back(op);
      SCOPED_TRACE(op.dump() + " on " + std::to_string(image.height) + "x" +
                   std::to_string(image.width) + "x" + std::to_string(wide.image.channels));
      ExpectGraph(wide.input, ops, weights, plain);
      if (&window != kWindows) continue;
      Outputs positive = plain;
      for (float& value : positive[0]) value = std::max(value, 0.0f);
      ops.back()["relu"] = true;
      ExpectGraph(wide.input, ops, weights, positive);
    }
  }
}

TEST(Net, ConvolvesAsTfliteDoes) {
  for (const int out_channels : {1, 16, 37}) {
    const auto make = [&](const Window& window, const Image& image, WeightMap* weights) {
      const int taps = window.height * window.width;
      (*weights)["w"] = {{out_channels, image.channels, window.height, window.width},
                         Random(out_channels * image.channels * taps, 2)};
      (*weights)["b"] = {{out_channels}, Random(out_channels, 3)};
      json op = WindowOp("CONV_2D", window);
      op.update({{"weight", "w"}, {"bias", "b"}});
      return op;
    };
    ForWindows(make, [&](const Window& window, const Image& image, WeightMap& weights) {
      const int taps = window.height * window.width;
      std::vector<float> wanted;
      Slide(image, window, [&](int top, int left) {
        for (int o = 0; o < out_channels; ++o) {
          double sum = weights["b"].values[o];
          Under(image, window, top, left, [&](int y, int x, int tap) {
            for (int c = 0; c < image.channels; ++c) {
              sum += static_cast<double>(image.At(y, x, c)) *
                     weights["w"].values[(o * image.channels + c) * taps + tap];
            }
          });
          wanted.push_back(static_cast<float>(sum));
        }
      });
      return Outputs{wanted};
    });
  }
}

TEST(Net, ConvolvesByDepthAsTfliteDoes) {
  const auto make = [](const Window& window, const Image& image, WeightMap* weights) {
    const int taps = window.height * window.width;
    (*weights)["w"] = {{image.channels, 1, window.height, window.width},
                       Random(image.channels * taps, 2)};
    (*weights)["b"] = {{image.channels}, Random(image.channels, 3)};
    json op = WindowOp("DEPTHWISE_CONV_2D", window);
    op.update({{"weight", "w"}, {"bias", "b"}});
    return op;
  };
  ForWindows(make, [](const Window& window, const Image& image, WeightMap& weights) {
    const int taps = window.height * window.width;
    std::vector<float> wanted;
    Slide(image, window, [&](int top, int left) {
      for (int c = 0; c < image.channels; ++c) {
        double sum = weights["b"].values[c];
        Under(image, window, top, left, [&](int y, int x, int tap) {
          sum += static_cast<double>(image.At(y, x, c)) * weights["w"].values[c * taps + tap];
        });
        wanted.push_back(static_cast<float>(sum));
      }
    });
    return Outputs{wanted};
  });
}

TEST(Net, PoolsAsTfliteDoes) {
  const auto make = [](const Window& window, const Image&, WeightMap*) {
    json op = WindowOp("MAX_POOL_2D", window);
    op["size"] = {window.height, window.width};
    return op;
  };
  ForWindows(make, [](const Window& window, const Image& image, WeightMap&) {
    std::vector<float> wanted;
    Slide(image, window, [&](int top, int left) {
      for (int c = 0; c < image.channels; ++c) {
        float most = -1e9f;
        Under(image, window, top, left,
              [&](int y, int x, int) { most = std::max(most, image.At(y, x, c)); });
        wanted.push_back(most);
      }
    });
    return Outputs{wanted};
  });
}

// Sums and activations behind a convolution are done by it, unless somebody else wants what they
// are made of: then all must come out as before.
TEST(Net, WhatFollowsAConvolutionIsTheSameInOneStep) {
  const Image image = RandomImage(7, 9, 5);
  const WeightMap weights = {{"w", {{21, 5, 1, 1}, Random(105, 2)}},
                             {"b", {{21}, Random(21, 3)}},
                             {"a", {{21}, Random(21, 4)}},
                             {"one", {{1}, {0.25f}}}};
  const json conv = {{"op", "CONV_2D"}, {"in", {0}}, {"out", 1}, {"weight", "w"}, {"bias", "b"}};
  const json pad = {
      {"op", "PAD"}, {"in", {0}}, {"out", 2}, {"pads", {{0, 0}, {0, 0}, {0, 0}, {0, 16}}}};
  json before = pad;
  before["pads"] = {{0, 0}, {0, 0}, {0, 0}, {16, 0}};
  const json sum = {{"op", "ADD"}, {"in", {1, 2}}, {"out", 3}, {"relu", false}};
  json turned = sum, positive = sum;
  turned["in"] = {2, 1};
  positive["relu"] = true;
  const json prelu = {{"op", "PRELU"}, {"in", {3}}, {"out", 4}, {"weight", "a"}};
  json one = prelu;
  one["weight"] = "one";
  const json relu = {{"op", "RELU"}, {"in", {3}}, {"out", 4}};
  json after_conv = prelu;
  after_conv["in"] = {1};
  const json graphs[] = {{conv, pad, sum, prelu},
                         {pad, conv, turned, one},
                         {conv, before, sum, relu},
                         {conv, pad, positive, prelu},
                         {conv, after_conv}};
  for (const json& ops : graphs) {
    std::vector<int> all;
    for (const json& op : ops) all.push_back(op["out"]);
    const Outputs apart = RunGraph(image, ops, weights, all);
    ExpectGraph(image, ops, weights, {apart.back()}, {all.back()});
    const Outputs beside = RunGraph(image, ops, weights, {1, all.back()});
    ExpectNear(beside[0], apart[ops[0]["out"] == 1 ? 0 : 1]);
    ExpectNear(beside[1], apart.back());
  }
}

TEST(Net, AppliesSlopesSumsAndRelu) {
  const Image image = RandomImage(3, 5, 4);
  const Weights slope{{4}, {0.5f, -1, 0, 2}};
  const json ops = {{{"op", "PRELU"}, {"in", {0}}, {"out", 1}, {"weight", "a"}},
                    {{"op", "ADD"}, {"in", {0, 1}}, {"out", 2}, {"relu", false}},
                    {{"op", "RELU"}, {"in", {2}}, {"out", 3}}};
  std::vector<float> prelu, sum, relu;
  for (size_t i = 0; i < image.values.size(); ++i) {
    const float x = image.values[i];
    prelu.push_back(x < 0 ? slope.values[i % 4] * x : x);
    sum.push_back(x + prelu.back());
    relu.push_back(std::max(sum.back(), 0.0f));
  }
  ExpectGraph(image, ops, {{"a", slope}}, {prelu, sum, relu}, {1, 2, 3});
}

TEST(Net, PadsReshapesAndJoinsInChannelsLastOrder) {
  const Image image = RandomImage(3, 5, 4);
  const json ops = {
      {{"op", "PAD"}, {"in", {0}}, {"out", 1}, {"pads", {{0, 0}, {1, 0}, {0, 2}, {0, 3}}}},
      {{"op", "RESHAPE"}, {"in", {0}}, {"out", 2}, {"shape", {1, 30, 2}}},
      {{"op", "CONCATENATION"}, {"in", {2, 2}}, {"out", 3}, {"axis", 1}},
      {{"op", "CONCATENATION"}, {"in", {0, 0}}, {"out", 4}, {"axis", 3}}};
  std::vector<float> padded(4 * 7 * 7, 0.0f), twice = image.values, beside;
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 5; ++x) {
      for (int c = 0; c < 4; ++c) padded[((y + 1) * 7 + x) * 7 + c] = image.At(y, x, c);
      for (int c = 0; c < 8; ++c) beside.push_back(image.At(y, x, c % 4));
    }
  }
  twice.insert(twice.end(), image.values.begin(), image.values.end());
  ExpectGraph(image, ops, {}, {padded, image.values, twice, beside}, {1, 2, 3, 4});
}

// What libtorch found when it ran a graph is found before one runs.
json Op(const char* name, std::vector<int> in, const json& more = json::object()) {
  json op = {{"op", name}, {"in", std::move(in)}, {"out", 1}};
  op.update(more);
  return op;
}

struct WrongGraph {
  std::vector<json> ops;
  const char* said;
};

void ExpectRefused(const std::vector<WrongGraph>& cases, const WeightMap& weights) {
  for (const WrongGraph& wrong : cases) {
    EXPECT_ERROR(RunGraph(RandomImage(3, 5, 4), json(wrong.ops), weights), Code::kBadPack,
                 "net.safetensors", wrong.said);
  }
}

TEST(Net, RefusesOpsThatDoNotFitEachOther) {
  const json line = Op("RESHAPE", {0}, {{"shape", {60}}});
  const json other = Op("RESHAPE", {0}, {{"shape", {1, 5, 3, 4}}, {"out", 2}});
  const json no_pads = {{0, 0}, {0, 0}, {0, 0}, {0, 0}}, large = {1 << 24, 1 << 24, 1 << 24};
  ExpectRefused(
      {{{Op("TANH", {0})}, "TANH"},
       {{Op("RELU", {7})}, "op 0, RELU: it takes value 7, which no op before it computes"},
       {{Op("RELU", {1})}, "it takes value 1"},
       {{Op("RELU", {0}), Op("RELU", {0})}, "op 1, RELU: value 1 is computed twice"},
       {{Op("RELU", {0, 0})}, "it takes 2 values, wanted 1"},
       {{Op("ADD", {0})}, "it takes 1 values, wanted 2"},
       {{Op("MAX_POOL_2D", {0}, {{"size", {4, 1}}})}, "its window is larger than the image"},
       {{Op("RESHAPE", {0}, {{"shape", {61}}})}, "its shape holds another number of values"},
       {{Op("RESHAPE", {0}, {{"shape", large}})}, "its result is too large"},
       {{line, Op("MAX_POOL_2D", {1}, {{"size", {1, 1}}, {"out", 2}})}, "it takes no image"},
       {{line, Op("PAD", {1}, {{"pads", no_pads}, {"out", 2}})}, "it takes no image"},
       {{line, Op("CONCATENATION", {1}, {{"axis", 1}, {"out", 2}})}, "its values have no axis 1"},
       {{other, Op("ADD", {0, 2})}, "its values have different shapes"},
       {{other, Op("CONCATENATION", {0, 2}, {{"axis", 3}})}, "its values have different shapes"},
       {{other}, "output 1 is computed by no op"}},
      {});
}

TEST(Net, RefusesWeightsThatDoNotFit) {
  const WeightMap weights = {{"three", {{3}, {1, 1, 1}}},
                             {"empty", {{0}, {}}},
                             {"conv", {{2, 4, 3, 3}, Random(72, 1)}},
                             {"tall", {{2, 4, 4, 1}, Random(32, 1)}},
                             {"huge", {{1, 4, 65, 1}, Random(260, 1)}},
                             {"shallow", {{2, 3, 1, 1}, Random(6, 1)}},
                             {"depth", {{3, 1, 1, 1}, Random(3, 1)}},
                             {"flat", {{4, 4}, Random(16, 1)}}};
  const auto with = [](const char* weight) { return json{{"weight", weight}}; };
  ExpectRefused(
      {{{Op("PRELU", {0})}, "it has no weight"},
       {{Op("PRELU", {0}, with("lacking"))}, "lacking"},
       {{Op("PRELU", {0}, with("three"))}, "it has not one slope a channel"},
       {{Op("PRELU", {0}, with("empty"))}, "its weight is empty"},
       {{Op("CONV_2D", {0})}, "it has no weight"},
       {{Op("CONV_2D", {0}, with("flat"))}, "its weight does not fit 4 channels"},
       {{Op("CONV_2D", {0}, with("shallow"))}, "its weight does not fit 4 channels"},
       {{Op("CONV_2D", {0}, with("tall"))}, "its window is larger than the image"},
       {{Op("CONV_2D", {0}, {{"weight", "huge"}, {"same", true}})}, "its weight is too large"},
       {{Op("CONV_2D", {0}, {{"weight", "conv"}, {"bias", "three"}})},
        "it has not one bias an output channel"},
       {{Op("DEPTHWISE_CONV_2D", {0}, with("depth"))}, "its weight does not fit"}},
      weights);
}

// Little files that ask for much memory or time are refused as well.
TEST(Net, RefusesGraphsThatWouldNotEnd) {
  const Image image = RandomImage(4, 4, 4);
  json grow = json::array(), slow = json::array(), wide = json::array();
  for (int i = 0; i < 12; ++i)
    grow.push_back({{"op", "CONCATENATION"}, {"in", {i, i, i, i}}, {"out", i + 1}, {"axis", 1}});
  EXPECT_ERROR(RunGraph(image, grow, {}, {12}), Code::kBadPack, "its result is too large");
  const json pad = {{0, 0}, {0, 1020}, {0, 1020}, {0, 0}};
  for (int i = 0; i < 40; ++i)
    wide.push_back({{"op", "PAD"}, {"in", {0}}, {"out", i + 1}, {"pads", pad}});
  EXPECT_ERROR(RunGraph(image, wide, {}, {40}), Code::kBadPack, "the net is too large");
  slow.push_back({{"op", "PAD"}, {"in", {0}}, {"out", 1}, {"pads", pad}});
  slow.push_back({{"op", "MAX_POOL_2D"}, {"in", {1}}, {"out", 2}, {"size", {64, 64}}});
  EXPECT_ERROR(RunGraph(image, slow, {}, {2}), Code::kBadPack, "the net takes too long");
}

TEST(Net, TakesAnInputOfItsSizeOnly) {
  Image image = RandomImage(3, 5, 4);
  image.values.pop_back();
  const json relu = {{"op", "RELU"}, {"in", {0}}, {"out", 1}};
  EXPECT_ERROR(RunGraph(image, json::array({relu}), {}), Code::kInvalid, "59", "60");
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
