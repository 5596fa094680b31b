// SPDX-License-Identifier: MIT
#include "models/torch/batch_graphs.h"

#include <algorithm>
#include <utility>

namespace talkface::nets {
namespace {

using torch::Tensor;

constexpr int64_t kMostRows = 64;

}  // namespace

int64_t GraphRows(int64_t count) {
  int64_t rows = 1;
  while (rows < count && rows < kMostRows) rows *= 2;
  return rows >= count ? rows : (count + kMostRows - 1) / kMostRows * kMostRows;
}

struct BatchGraphs::Graph {
  int64_t rows = 0;
  std::vector<Tensor> inputs;
  Tensor output;
  std::unique_ptr<Recorded> recorded;
  bool tried = false;
};

BatchGraphs::BatchGraphs(Network network, Record record, size_t most)
    : network_(std::move(network)), record_(std::move(record)), most_(most) {}

BatchGraphs::Batch BatchGraphs::Begin(int64_t count, const std::vector<Tensor>& inputs) {
  const int64_t rows = GraphRows(count);
  const auto found = std::find_if(graphs_.begin(), graphs_.end(),
                                  [rows](const auto& graph) { return graph->rows == rows; });
  if (found != graphs_.end()) {
    graphs_.splice(graphs_.begin(), graphs_, found);
  } else {
    auto graph = std::make_shared<Graph>();
    graph->rows = rows;
    for (const Tensor& input : inputs) {
      std::vector<int64_t> sizes = input.sizes().vec();
      if (sizes[0] != 1 || count == 1) sizes[0] = sizes[0] / count * rows;
      graph->inputs.push_back(torch::zeros(sizes, input.options()));
    }
    graphs_.push_front(graph);
    if (graphs_.size() > most_) graphs_.pop_back();
  }
  Batch batch(this, graphs_.front(), count);
  for (size_t i = 0; i < inputs.size(); ++i) batch.Set(i, inputs[i]);
  return batch;
}

void BatchGraphs::Batch::Set(size_t input, const Tensor& value) {
  graph_->inputs[input].narrow(0, 0, value.size(0)).copy_(value, /*non_blocking=*/true);
}

Tensor BatchGraphs::Batch::Run() {
  if (!graph_->tried) graphs_->RecordGraph(graph_.get());
  if (graph_->recorded) {
    graph_->recorded->Replay();
  } else {
    graph_->output = graphs_->network_(graph_->inputs);
  }
  const int64_t per_frame = graph_->output.size(0) / graph_->rows;
  return graph_->output.narrow(0, 0, count_ * per_frame);
}

// Leaves the graph without a recording where that fails. What lacks memory may have it later.
void BatchGraphs::RecordGraph(Graph* graph) {
  try {
    graph->recorded = record_([this, graph] { graph->output = network_(graph->inputs); });
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const std::exception& error) {
    trouble_ = error.what();
  }
  graph->tried = true;
}

}  // namespace talkface::nets
