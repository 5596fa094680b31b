// SPDX-License-Identifier: MIT
// How near few steps come to the paper's 200 steps of DDIM (docs/mftfg.md holds the table):
//
//   mftfg-steps FILE       i_e2e.safetensors of the reference tensors
//
// One row a sampler and number of steps: PSNR of the decoded pictures, in dB, with all generated
// and with the frames kept outside of the mouth; latents quantised as in use, and not.
#include <torch/torch.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "models/families/mftfg/model/model.h"
#include "tests/units/families/mftfg/parity/reference.h"
#include "tests/units/families/mftfg/parity/sizes.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr int64_t kDraws = 4;  // noises for each of the file's frames
constexpr int64_t kPaperSteps = 200;

struct Clip {
  Tensor context;  // [T, 1, K]
  FaceLatents face;
};

// The frames whose latents the file keeps, once for each noise.
Clip ClipOf(const parity::Reference& reference) {
  const Tensor kept = reference.Get("mid/frames_kept");
  Clip clip;
  clip.context = reference.Get("mid/context").index({kept}).repeat({kDraws, 1, 1});
  clip.face.frames = reference.Get("mid/z").repeat({kDraws, 1, 1, 1});
  clip.face.masked = reference.Get("mid/mask_image_latent").repeat({kDraws, 1, 1, 1});
  clip.face.identity_face = reference.Get("mid/lip1_frame0");
  const Tensor keep = reference.Get("in/inference_mask").index({kept}).to(torch::kFloat32);
  clip.face.keep = keep.unsqueeze(1).repeat({kDraws, 1, 1, 1});
  return clip;
}

struct Pictures {
  Tensor quantised, plain;  // [T, 3, R, R] in 0..1
};

class Comparison {
 public:
  Comparison(Model model, const Clip& clip, bool inpaint) : model_(std::move(model)), clip_(clip) {
    const int64_t frames = clip.context.size(0);
    std::vector<uint64_t> numbers(static_cast<size_t>(frames));
    std::iota(numbers.begin(), numbers.end(), uint64_t{0});
    options_.batch = frames;
    options_.inpaint = inpaint;
    options_.noise = SeededNoise(1, numbers, clip.face.frames.sizes().slice(1));
    wanted_ = Run(Sampler::kDdim, kPaperSteps);
  }

  void Print(Sampler sampler, int64_t steps) {
    const Pictures got = Run(sampler, steps);
    std::printf(" %6.1f %6.1f", Psnr(got.quantised, wanted_.quantised),
                Psnr(got.plain, wanted_.plain));
    std::fflush(stdout);
  }

 private:
  Pictures Run(Sampler sampler, int64_t steps) {
    options_.sampler = sampler;
    options_.steps = steps;
    const Tensor latents = model_->Sample(clip_.context, clip_.face, options_);
    const Tensor plain = model_->first_stage->DecodeCodes(latents);
    return {model_->Decode(latents, options_.batch), ((plain + 1) / 2).clamp(0, 1)};
  }

  static double Psnr(const Tensor& got, const Tensor& wanted) {
    return -10 * std::log10((got - wanted).square().mean().item<double>());
  }

  Model model_;
  const Clip& clip_;
  SampleOptions options_;
  Pictures wanted_;
};

void PrintTable(const std::string& path) {
  const torch::NoGradGuard no_gradients;
  parity::Reference reference(SafeTensors::Open(path));
  Model model(parity::ReadModelSizes(reference));
  reference.Load(*model, "");
  model->PrepareInference(torch::kCPU, torch::kFloat32);
  const Clip clip = ClipOf(reference);
  Comparison all(model, clip, /*inpaint=*/false), mouth(model, clip, /*inpaint=*/true);
  std::printf(
      "              all generated   frames kept\n"
      "sampler steps  quant.  plain  quant.  plain\n");
  for (const Sampler sampler : {Sampler::kFast, Sampler::kDdim}) {
    for (const int64_t steps : {1, 2, 4, 8, 12, 20, 50}) {
      if (sampler == Sampler::kDdim && kDiffusionTimes % steps != 0) continue;
      std::printf("%-7s %5d", sampler == Sampler::kFast ? "fast" : "ddim", static_cast<int>(steps));
      all.Print(sampler, steps);
      mouth.Print(sampler, steps);
      std::printf("\n");
    }
  }
}

int Main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: mftfg-steps FILE\n");
    return 2;
  }
  try {
    PrintTable(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mftfg-steps: %s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace talkface::mftfg

int main(int argc, char** argv) { return talkface::mftfg::Main(argc, argv); }
