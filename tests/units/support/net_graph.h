// SPDX-License-Identifier: MIT
// Graphs of face nets that tests make up, run by every set of vector instructions of this CPU.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "models/vision/net.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::vision {

inline std::vector<float> Random(size_t count, unsigned seed) {
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

inline Image RandomImage(int height, int width, int channels) {
  return {height, width, channels, Random(static_cast<size_t>(height) * width * channels, 1)};
}

struct Weights {
  std::vector<int64_t> shape;
  std::vector<float> values;
};
using WeightMap = std::map<std::string, Weights>;
using Outputs = std::vector<std::vector<float>>;

// The file of a graph of `ops` on `image`; `weights` by tensor name, `outputs` by value.
class GraphFile {
 public:
  GraphFile(const Image& image, const nlohmann::json& ops, const WeightMap& weights,
            const std::vector<int>& outputs) {
    std::map<std::string, TensorSource> tensors;
    for (const auto& [name, weight] : weights)
      tensors[name] = {DType::kF32, weight.shape, weight.values.data(), {}};
    const nlohmann::json graph = {
        {"input", {image.height, image.width, image.channels}}, {"outputs", outputs}, {"ops", ops}};
    WriteSafeTensors(folder_ / "net.safetensors", tensors, {{"graph", graph.dump()}});
  }
  std::shared_ptr<const SafeTensors> Open() const {
    return SafeTensors::Open(folder_ / "net.safetensors");
  }

 private:
  const test::TemporaryFolder folder_;
};

// Runs a graph by the best instructions of this CPU.
inline Outputs RunGraph(const Image& image, const nlohmann::json& ops, const WeightMap& weights,
                        const std::vector<int>& outputs = {1}) {
  return Net(GraphFile(image, ops, weights, outputs).Open()).Run(image.values);
}

inline void ExpectNear(const std::vector<float>& got, const std::vector<float>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], wanted[i], 5e-5) << "at " << i;
}

// Every set of instructions must give the outputs `wanted`, which are values `outputs`.
inline void ExpectGraph(const Image& image, const nlohmann::json& ops, const WeightMap& weights,
                        const Outputs& wanted, const std::vector<int>& outputs = {1}) {
  const GraphFile file(image, ops, weights, outputs);
  for (const NetKernels* kernels : RunnableNetKernels()) {
    SCOPED_TRACE(kernels->target);
    const Outputs got = Net(file.Open(), *kernels).Run(image.values);
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < got.size(); ++i) ExpectNear(got[i], wanted[i]);
  }
}

}  // namespace talkface::vision
