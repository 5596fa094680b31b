// SPDX-License-Identifier: MIT
// h_ddim: the schedule, and runs of the paper's sampler with and without a mask.
#include <string>
#include <vector>

#include "models/families/mftfg/model/diffusion.h"
#include "models/families/mftfg/model/samplers.h"
#include "models/families/mftfg/model/unet.h"
#include "tests/units/families/mftfg/parity/checks.h"
#include "tests/units/families/mftfg/parity/sizes.h"

namespace talkface::parity {
namespace {

using torch::Tensor;

constexpr double kScheduleTolerance = 5e-7;  // a few roundings of float32, numbers up to 1

template <typename T>
Tensor Numbers(const std::vector<T>& values) {
  std::vector<double> numbers(values.begin(), values.end());
  return torch::tensor(numbers, torch::kFloat64);
}

void CheckPlans(Reference* reference, const mftfg::Schedule& schedule) {
  for (int64_t steps = 1; steps <= mftfg::kDiffusionTimes / 2; ++steps) {
    const std::string name = "mid/ddim" + std::to_string(steps) + "_";
    if (!reference->Has(name + "timesteps")) continue;
    const mftfg::DdimSchedule plan(schedule, steps);
    reference->Compare(name + "timesteps", Numbers(plan.times), kExact);
    reference->Compare(name + "alphas", Numbers(plan.alphas), kScheduleTolerance);
    reference->Compare(name + "alphas_prev", Numbers(plan.alphas_prev), kScheduleTolerance);
    reference->Compare(name + "sigmas", Numbers(plan.sigmas), kScheduleTolerance);
    reference->Compare(name + "sqrt_one_minus_alphas", Numbers(plan.sqrt_one_minus),
                       kScheduleTolerance);
    if (!reference->Has(name + "sigmas_eta1")) continue;
    reference->Compare(name + "sigmas_eta1",
                       Numbers(mftfg::DdimSchedule(schedule, steps, 1).sigmas), kScheduleTolerance);
  }
}

// The sampler on the first `frames` frames of the file's inputs.
class SamplerRun {
 public:
  SamplerRun(Reference* reference, mftfg::Unet* model, const mftfg::Schedule& schedule,
             int64_t steps, int64_t frames)
      : reference_(reference), model_(*model), schedule_(schedule), steps_(steps) {
    const auto get = [&](const char* name) { return reference->Get(name).narrow(0, 0, frames); };
    conditions_ = torch::cat({get("in/mask_image"), get("in/lip1")}, 1);  // [B, 2 Z, L, L]
    guidance_ = model_->Fold(get("in/context"));
    renoise_ = reference->Get("in/renoise_" + std::to_string(steps));  // [S, B, Z, L, L]
    given_.latents = get("in/x0");
    given_.mask = get("in/mask").to(torch::kFloat32);
    given_.noise = [this](int64_t step) { return renoise_.select(0, step); };
    start_ = get("in/x_T");
  }

  // Keeps every step's x and prediction.
  Tensor operator()(bool masked) {
    mftfg::SamplerInput input;
    input.start = start_;
    std::vector<int64_t> times;
    input.denoise = [this, &times](const Tensor& x, int64_t t) {
      times.push_back(t);
      return model_(torch::cat({x, conditions_}, 1), torch::tensor({t}), guidance_);
    };
    if (masked) input.inpainting = &given_;
    input.done = [this](int64_t, const Tensor& x, const Tensor& predicted) {
      latents_.push_back(x);
      predictions_.push_back(predicted);
    };
    latents_.clear();
    predictions_.clear();
    const Tensor final = mftfg::SampleDdim(schedule_, steps_, input);
    // The networks of these files hardly notice a wrong time.
    reference_->Compare("mid/ddim" + std::to_string(steps_) + "_timesteps", Numbers(times).flip(0),
                        kExact);
    return final;
  }

  void CompareSteps() {
    const std::string steps = std::to_string(steps_);
    const Tensor kept = reference_->Get("mid/steps_kept_" + steps);
    reference_->IsNoOutput("mid/steps_kept_" + steps);
    reference_->Compare("mid/x_steps_" + steps, torch::stack(latents_).index({kept}),
                        kLatentTolerance);
    const std::string predicted = "mid/pred_x0_steps_" + steps;
    if (reference_->Has(predicted))
      reference_->Compare(predicted, torch::stack(predictions_).index({kept}), kLatentTolerance);
  }

 private:
  Reference* reference_;
  mftfg::Unet model_;
  const mftfg::Schedule& schedule_;
  int64_t steps_;
  Tensor start_, conditions_, renoise_;
  mftfg::Guidance guidance_;
  mftfg::Inpainting given_;
  std::vector<Tensor> latents_, predictions_;
};

}  // namespace

void CompareSchedule(Reference* reference, const std::string& prefix) {
  const mftfg::Schedule schedule;
  const auto compare = [&](const char* name, const Tensor& numbers) {
    reference->Compare(prefix + name, numbers, kScheduleTolerance);
  };
  compare("betas", schedule.betas);
  compare("alphas_cumprod", schedule.alphas_cumprod);
  compare("alphas_cumprod_prev", schedule.alphas_cumprod_prev);
  compare("sqrt_alphas_cumprod", schedule.sqrt_alphas_cumprod);
  compare("sqrt_one_minus_alphas_cumprod", schedule.sqrt_one_minus_alphas_cumprod);
}

void CheckDdim(Reference* reference) {
  const mftfg::Schedule schedule;
  CompareSchedule(reference, "mid/");
  CheckPlans(reference, schedule);
  mftfg::Config config;
  config.wiring = mftfg::Wiring::kOfficial;
  ReadUnetSizes(*reference, "hc", reference->Get("in/x_T").size(2), &config);
  mftfg::Unet model(config);
  reference->Load(*model, "model.diffusion_model.");
  model->eval();
  for (int64_t steps = 1; steps <= mftfg::kDiffusionTimes / 2; ++steps) {
    const std::string final = "out/x_final_" + std::to_string(steps);
    if (!reference->Has(final)) continue;
    SamplerRun run(reference, &model, schedule, steps, reference->Size(final, 0));
    reference->Compare(final, run(/*masked=*/true), kLatentTolerance);
    run.CompareSteps();
    if (reference->Has(final + "_nomask"))
      reference->Compare(final + "_nomask", run(/*masked=*/false), kLatentTolerance);
  }
}

}  // namespace talkface::parity
