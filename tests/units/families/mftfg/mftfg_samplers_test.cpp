// SPDX-License-Identifier: MIT
// Schedule, samplers and noise, without networks.
#include <torch/torch.h>

#include <cmath>

#include "models/families/mftfg/model/noise.h"
#include "models/families/mftfg/model/samplers.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/mftfg_networks.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

// Data of a normal distribution of this spread have an exact denoiser, and an exact solution.
constexpr double kSpread = 0.5;

double Variance(double alpha_bar) { return alpha_bar * kSpread * kSpread + 1 - alpha_bar; }

SamplerInput GaussianInput(const Schedule& schedule) {
  SamplerInput input;
  input.start = Noise(7).Draw({0, 1}, 0, {3, 4, 4});
  input.denoise = [&schedule](const Tensor& x, int64_t t) {
    const double a = schedule.AlphaBar(t);
    return x * (std::sqrt(1 - a) / Variance(a));
  };
  return input;
}

// Of a run from the time `from`: the solution at time 0.
double ErrorAfter(const Schedule& schedule, const Tensor& x, const Tensor& start, int64_t from) {
  const double gain = std::sqrt(Variance(schedule.AlphaBar(0)) / Variance(schedule.AlphaBar(from)));
  return Distance(x, start * gain);
}

TEST(ScheduleTest, HasThePapersNumbers) {
  const Schedule schedule;
  EXPECT_NEAR(schedule.betas[0].item<double>(), 0.0015, 1e-9);
  EXPECT_NEAR(schedule.betas[999].item<double>(), 0.0195, 1e-8);
  EXPECT_NEAR(schedule.AlphaBar(0), 0.9985, 1e-7);
  EXPECT_NEAR(schedule.AlphaBar(1), 0.99699, 5e-6);
  EXPECT_NEAR(schedule.AlphaBar(999), 1.423e-4, 5e-8);
  EXPECT_EQ(schedule.alphas_cumprod_prev[0].item<double>(), 1);
}

TEST(ScheduleTest, QSampleMixesSignalAndNoise) {
  const Schedule schedule;
  const Tensor x0 = torch::randn({2, 3, 4, 4}), noise = torch::randn({2, 3, 4, 4});
  const Tensor both = schedule.QSample(x0, torch::tensor({1, 900}), noise);
  EXPECT_TRUE(torch::equal(both[1], schedule.QSample(x0, 900, noise)[1]));
  const double a = schedule.AlphaBar(900);
  EXPECT_LT(Distance(both[1], std::sqrt(a) * x0[1] + std::sqrt(1 - a) * noise[1]), 1e-6);
}

TEST(ScheduleTest, DdimTimes) {
  const Schedule schedule;
  const DdimSchedule paper(schedule, 200);
  EXPECT_EQ(paper.times.size(), 200u);
  EXPECT_EQ(paper.times.front(), 1);
  EXPECT_EQ(paper.times[1], 6);
  EXPECT_EQ(paper.times.back(), 996);
  EXPECT_EQ(paper.alphas_prev[0], schedule.AlphaBar(0));
  EXPECT_EQ(paper.alphas_prev[1], schedule.AlphaBar(1));
  EXPECT_EQ(DdimSchedule(schedule, 5).times, (std::vector<int64_t>{1, 201, 401, 601, 801}));
  EXPECT_EQ(DdimSchedule(schedule, 500).times.back(), 999);
}

TEST(ScheduleTest, FastTimesFallFromStartToEnd) {
  for (int64_t steps = 1; steps <= 50; ++steps) {
    const std::vector<int64_t> times = FastTimes(steps);
    ASSERT_EQ(times.size(), static_cast<size_t>(steps + 1));
    EXPECT_EQ(times.front(), 996);
    EXPECT_EQ(times.back(), 0);
    for (size_t i = 1; i < times.size(); ++i) EXPECT_LT(times[i], times[i - 1]) << steps;
  }
}

TEST(ScheduleTest, OtherStepsAreRefused) {
  const Schedule schedule;
  for (const int64_t steps : {-1, 0, 3, 7, 9, 300, 501, 1000}) {
    EXPECT_ERROR(DdimSchedule(schedule, steps), Code::kInvalid,
                 std::to_string(steps) + " steps: wanted a divisor of 1000");
  }
  for (const int64_t steps : {0, 51}) {
    EXPECT_ERROR(FastTimes(steps), Code::kInvalid,
                 std::to_string(steps) + " steps: wanted 1 to 50");
  }
}

TEST(SamplersTest, SolveTheGaussianCase) {
  const Schedule schedule;
  const SamplerInput input = GaussianInput(schedule);
  const auto error_of = [&](auto sample, int64_t steps) {
    return ErrorAfter(schedule, sample(schedule, steps, input), input.start, 996);
  };
  EXPECT_LT(error_of(SampleDdim, 200), 0.03);
  EXPECT_LT(error_of(SampleFast, 50), 0.005);
  EXPECT_LT(error_of(SampleFast, 8), 0.7 * error_of(SampleDdim, 50));
  // Of second order: twice the steps, a quarter of the error or so.
  EXPECT_LT(error_of(SampleFast, 40), 0.45 * error_of(SampleFast, 20));
  EXPECT_LT(error_of(SampleFast, 20), 0.3 * error_of(SampleDdim, 20));
}

TEST(SamplersTest, AreDeterministic) {
  const Schedule schedule;
  const SamplerInput input = GaussianInput(schedule);
  EXPECT_TRUE(torch::equal(SampleDdim(schedule, 10, input), SampleDdim(schedule, 10, input)));
  EXPECT_TRUE(torch::equal(SampleFast(schedule, 10, input), SampleFast(schedule, 10, input)));
}

TEST(SamplersTest, InpaintingShowsTheDenoiserWhatIsKept) {
  const Schedule schedule;
  const Noise noise(3);
  Inpainting given;
  given.latents = noise.Draw({5, 6}, 99, {3, 4, 4});
  given.mask = torch::zeros({1, 1, 4, 4});
  given.mask.narrow(2, 0, 2).fill_(1);
  given.noise = [&](int64_t step) {
    return noise.Draw({5, 6}, static_cast<uint32_t>(step) + 1, {3, 4, 4});
  };
  for (const auto sample : {SampleDdim, SampleFast}) {
    SamplerInput input = GaussianInput(schedule);
    const Denoiser denoise = input.denoise;
    int64_t step = 0;
    input.denoise = [&](const Tensor& x, int64_t t) {
      const Tensor wanted = schedule.QSample(given.latents, t, given.noise(step++));
      EXPECT_TRUE(torch::equal(x.narrow(2, 0, 2), wanted.narrow(2, 0, 2)));
      EXPECT_FALSE(torch::equal(x.narrow(2, 2, 2), wanted.narrow(2, 2, 2)));
      return denoise(x, t);
    };
    input.inpainting = &given;
    int64_t done = 0;
    input.done = [&](int64_t number, const Tensor&, const Tensor&) { EXPECT_EQ(number, done++); };
    sample(schedule, 5, input);
    EXPECT_EQ(step, 5);
    EXPECT_EQ(done, 5);
  }
}

// Known answers of the generator's authors (Random123, kat_vectors).
TEST(NoiseTest, PhiloxIsPhilox) {
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const uint32_t ones = 0xffffffff;
  EXPECT_EQ(Philox({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(NoiseTest, DependsOnSeedFrameAndDrawAlone) {
  const Noise noise(42);
  const Tensor together = noise.Draw({3, 4, uint64_t{1} << 40}, 2, {3, 5, 5});
  EXPECT_TRUE(torch::equal(together[1], noise.Draw({4}, 2, {3, 5, 5})[0]));
  EXPECT_TRUE(torch::equal(together[2], noise.Draw({uint64_t{1} << 40}, 2, {3, 5, 5})[0]));
  EXPECT_FALSE(torch::equal(together[1], noise.Draw({4}, 3, {3, 5, 5})[0]));
  EXPECT_FALSE(torch::equal(together[1], Noise(43).Draw({4}, 2, {3, 5, 5})[0]));
  EXPECT_FALSE(torch::equal(together[0], together[1]));
}

TEST(NoiseTest, IsStandardNormal) {
  const Tensor x = Noise(1).Draw({0}, 0, {300000})[0].to(torch::kFloat64);
  EXPECT_NEAR(x.mean().item<double>(), 0, 0.01);
  EXPECT_NEAR(x.square().mean().item<double>(), 1, 0.01);
  EXPECT_NEAR(x.pow(3).mean().item<double>(), 0, 0.03);
  EXPECT_NEAR(x.pow(4).mean().item<double>(), 3, 0.06);
  EXPECT_NEAR((x.abs() < 1.959964).to(torch::kFloat64).mean().item<double>(), 0.95, 0.002);
}

}  // namespace
}  // namespace talkface::mftfg
