// SPDX-License-Identifier: MIT
// b_audio2au: one action unit's network, as the official code calls it, over a sequence, and with
// the clip's own batch statistics.
#include "models/families/mftfg/model/audio2au.h"
#include "tests/units/families/mftfg/parity/checks.h"

namespace talkface::parity {
namespace {

void CheckBlocks(Reference* reference, mftfg::Audio2AU unit, const torch::Tensor& mfcc) {
  torch::Tensor x = mfcc.unsqueeze(1);
  for (size_t i = 0; i < unit->blocks.size(); ++i) {
    x = unit->blocks[i]->forward(x);
    const std::string name = "mid/block" + std::to_string(i + 1);
    // Large ones are there for the first frames only.
    reference->Compare(name, x.narrow(0, 0, reference->Size(name, 0)), kModuleTolerance);
  }
}

void CheckOutput(Reference* reference, const mftfg::UnitOutput& got, const std::string& ending) {
  reference->Compare("out/rnn" + ending, got.rnn.flatten(0, 1), kModuleTolerance);
  reference->Compare("out/feature" + ending, got.feature.flatten(0, 1), kModuleTolerance);
}

}  // namespace

void CheckAudio2AU(Reference* reference) {
  mftfg::Config config;
  config.wiring = mftfg::Wiring::kOfficial;
  config.au_hidden = reference->Size("param/rnn.rnn.weight_hh_l0", 1);
  mftfg::Audio2AU unit(config);
  reference->Load(*unit, "");
  unit->eval();
  const torch::Tensor mfcc = reference->Get("in/mfcc").squeeze(-1);  // [50, 12, 25]
  CheckBlocks(reference, unit, mfcc);
  CheckOutput(reference, unit->forward(mfcc.unsqueeze(0)), "");
  const torch::Tensor sequence = unit->Convolve(mfcc).unsqueeze(0);  // [1, 50, 256]
  CheckOutput(reference, unit->Follow(sequence, {}), "_seq50");
  for (auto& block : unit->blocks) block->bn1->train();
  CheckOutput(reference, unit->forward(mfcc.unsqueeze(0)), "_batchstats");
}

}  // namespace talkface::parity
