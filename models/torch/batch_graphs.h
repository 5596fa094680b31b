// SPDX-License-Identifier: MIT
// A network's calls, recorded once for each size of a batch and replayed: the device gets all of a
// call's kernels at once, where each by itself would cost the CPU more than the device.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "models/torch/accelerator.h"

namespace talkface::nets {

// The size of graph that `count` frames are run with, the rest being padding: 1, 2, 4 ... 64, and
// multiples of 64 beyond.
int64_t GraphRows(int64_t count);

// One network. Calls are the caller's to serialise, on one lane.
class BatchGraphs {
 public:
  // A function of tensors that does the same kernels for the same shapes and never waits for the
  // device. The first axis of inputs and result is a multiple of the batch, or 1 in an input that
  // is the same for all frames. Rows do not depend on each other.
  using Network = std::function<torch::Tensor(const std::vector<torch::Tensor>& inputs)>;
  using Record = std::function<std::unique_ptr<Recorded>(const std::function<void()>& work)>;

  // Keeps the `most` graphs that were used last.
  BatchGraphs(Network network, Record record, size_t most);

  struct Graph;
  // One batch, whose inputs lie in its graph until the next Begin.
  class Batch {
   public:
    Batch(BatchGraphs* graphs, std::shared_ptr<Graph> graph, int64_t count)
        : graphs_(graphs), graph_(std::move(graph)), count_(count) {}
    // Another value for an input, of the same shape.
    void Set(size_t input, const torch::Tensor& value);
    // The network's result; valid until the next Run of any batch.
    torch::Tensor Run();

   private:
    BatchGraphs* graphs_;
    std::shared_ptr<Graph> graph_;
    int64_t count_;
  };
  // Copies the inputs of `count` frames into place.
  Batch Begin(int64_t count, const std::vector<torch::Tensor>& inputs);

  size_t size() const { return graphs_.size(); }
  // Why a call could not be recorded, and is run kernel by kernel; "" where none.
  const std::string& trouble() const { return trouble_; }

 private:
  void RecordGraph(Graph* graph);

  const Network network_;
  const Record record_;
  const size_t most_;
  std::list<std::shared_ptr<Graph>> graphs_;  // the last used first
  std::string trouble_;
};

}  // namespace talkface::nets
