// SPDX-License-Identifier: MIT
// What the parts of the paper's model (docs/mftfg.md) cost on this CPU, at full size with random
// weights:
//
//   mftfg-bench [--threads N] [--runs N] [--precision float32|bfloat16] [--follow | --plain]
//
// One line a part: median and best milliseconds of a call, arithmetic of the plain path (2 per
// multiplication with addition) and parameters. With --follow it runs a part once for each line on
// stdin that names it, and answers with its milliseconds: mftfg_eager.py --against takes turns
// with it. With --plain U-Net and decoder take turns with themselves on the plain path, float32:
// the same operators that eager PyTorch calls, in the same process; needs 5 GB.
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "models/families/mftfg/model/model.h"
#include "tests/bench/flop_count.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

struct Options {
  int threads = 2;
  int runs = 5;
  torch::Dtype precision = torch::kFloat32;
  bool follow = false;
  bool plain = false;
};

double MillisecondsOf(const std::function<void()>& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

struct Part {
  std::string name;
  std::function<void()> run;
  std::vector<torch::nn::Module*> networks;
  double gflop = 0;
  double parameters = 0;  // millions
};

std::vector<Part> PartsOf(Model& model, const Config& config) {
  const int64_t size = config.image_size, latent = config.latent_size();
  const Tensor mfcc = torch::randn({1, config.window_frames, 12, 25});
  const Tensor landmarks = torch::randn({1, config.window_frames, 39, 2});
  const Tensor picture = torch::rand({1, 3, size, size}) * 2 - 1, units = torch::rand({1, 5});
  const Tensor latents = torch::randn({1, 3, latent, latent});
  const Tensor x = torch::randn({1, 9, latent, latent}), t = torch::tensor({int64_t{500}});
  const Tensor context = torch::randn({1, 1, config.context_features()});
  FusionInput fused;
  fused.audio = torch::randn({1, config.window_frames, config.audio_features()});
  fused.audio_face = latents.unsqueeze(0);
  fused.landmarks = torch::randn({1, config.window_frames, kLandmarkFeatures});
  fused.units = torch::randn({1, config.window_frames, kActionUnits * kUnitFeatures});
  return {
      {"unet", [=, &model] { model->unet(x, t, model->unet->Fold(context)); }, {model->unet.get()}},
      {"decoder",
       [=, &model] { model->first_stage->DecodeCodes(latents); },
       {model->first_stage->decoder.get()}},
      {"encoder",
       [=, &model] { model->first_stage->Encode(picture); },
       {model->first_stage->encoder.get()}},
      {"units", [=, &model] { model->units(mfcc); }, {model->units.get()}},
      {"fusion", [=, &model] { model->fusion(fused); }, {model->fusion.get()}},
      {"audio, landmarks",
       [=, &model] {
         model->audio(mfcc);
         model->landmarks(landmarks);
       },
       {model->audio.get(), model->landmarks.get()}},
      {"mask",
       [=, &model] { model->mask_generator(picture, units); },
       {model->mask_generator.get()}},
  };
}

// On the plain path, before the weights are packed.
void CountWork(std::vector<Part>* parts) {
  for (Part& part : *parts) {
    part.gflop = GflopOf(part.run);
    for (const torch::nn::Module* network : part.networks) {
      for (const Tensor& parameter : network->parameters())
        part.parameters += static_cast<double>(parameter.numel()) / 1e6;
    }
  }
}

void Follow(const std::vector<Part>& parts) {
  for (std::string line; std::getline(std::cin, line);) {
    const auto part =
        std::find_if(parts.begin(), parts.end(), [&](const Part& one) { return one.name == line; });
    std::printf("%.3f\n", part == parts.end() ? -1.0 : MillisecondsOf(part->run));
    std::fflush(stdout);
  }
}

void Measure(const std::vector<Part>& parts, const Options& options, const char* precision) {
  for (const Part& part : parts) {
    std::vector<double> times;
    part.run();
    for (int i = 0; i < options.runs; ++i) times.push_back(MillisecondsOf(part.run));
    std::sort(times.begin(), times.end());
    std::printf("talkface %s %s: median %.1f ms, best %.1f ms, %.2f GFLOP, %.2f M parameters\n",
                part.name.c_str(), precision, times[times.size() / 2], times.front(), part.gflop,
                part.parameters);
    std::fflush(stdout);
  }
}

void MeasureAgainst(const std::vector<Part>& plain, const std::vector<Part>& parts, int runs) {
  for (size_t i = 0; i < 2; ++i) {  // "unet", "decoder"
    std::vector<double> slow, fast;
    plain[i].run();
    parts[i].run();
    for (int run = 0; run < runs; ++run) {
      slow.push_back(MillisecondsOf(plain[i].run));
      fast.push_back(MillisecondsOf(parts[i].run));
    }
    const double best_slow = *std::min_element(slow.begin(), slow.end());
    const double best_fast = *std::min_element(fast.begin(), fast.end());
    std::printf("talkface %s: best %.0f ms, plain path %.0f ms, ratio %.2f\n",
                parts[i].name.c_str(), best_fast, best_slow, best_fast / best_slow);
    std::fflush(stdout);
  }
}

bool Parse(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--follow" || name == "--plain") {
      (name == "--plain" ? options->plain : options->follow) = true;
      continue;
    }
    if (name == "--threads" && std::atoi(value.c_str()) > 0)
      options->threads = std::atoi(value.c_str());
    else if (name == "--runs" && std::atoi(value.c_str()) > 0)
      options->runs = std::atoi(value.c_str());
    else if (name == "--precision" && (value == "float32" || value == "bfloat16"))
      options->precision = value == "float32" ? torch::kFloat32 : torch::kBFloat16;
    else
      return false;
    ++i;
  }
  return true;
}

int Main(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, &options)) {
    std::fprintf(stderr,
                 "usage: mftfg-bench [--threads N] [--runs N] [--precision "
                 "float32|bfloat16] [--follow | --plain]\n");
    return 2;
  }
  const torch::NoGradGuard no_gradients;
  torch::set_num_threads(options.threads);
  Config config;
  config.wiring = Wiring::kOfficial;
  Model model(config);
  std::vector<Part> parts = PartsOf(model, config);
  if (!options.follow && !options.plain) CountWork(&parts);
  model->PrepareInference(torch::kCPU, options.precision);
  if (options.follow) {
    Follow(parts);
  } else if (options.plain) {
    Model plain(config);
    plain->eval();
    MeasureAgainst(PartsOf(plain, config), parts, options.runs);
  } else {
    Measure(parts, options, options.precision == torch::kFloat32 ? "float32" : "bfloat16");
  }
  return 0;
}

}  // namespace
}  // namespace talkface::mftfg

int main(int argc, char** argv) { return talkface::mftfg::Main(argc, argv); }
