// SPDX-License-Identifier: MIT
// The paper's model (docs/mftfg.md) on a CUDA device, at full size with random weights:
//
//   mftfg-cuda [--seconds S] [--peak TFLOPS]
//
// Parity of CUDA with the CPU and of bfloat16 with float32, the U-Net's share of the device's
// matrix peak (the data sheet's by --peak, else of a matrix product measured here), and frames a
// second for 1, 8 and 32 streams with 1 to 20 steps, S seconds each (default 2). Exits with 77
// where there is no CUDA device, and with 1 where parity fails.
#include <dlfcn.h>
#include <torch/torch.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <thread>

#include "models/core/scheduler.h"
#include "models/families/mftfg/family.h"
#include "models/families/mftfg/generator.h"
#include "models/torch/batch_graphs.h"
#include "tests/bench/flop_count.h"
#include "tests/units/support/mftfg_pack.h"
#include "tests/units/support/mftfg_stream.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::mftfg {
namespace {

using Clock = std::chrono::steady_clock;
using torch::Tensor;

constexpr int kSkipped = 77;
constexpr double kFloatTolerance = 1e-3, kLeastPsnr = 35;  // relative; dB
constexpr int64_t kParitySteps = 20, kParityFrames = 2;
constexpr size_t kInFlight = 4;  // frames of one stream
constexpr uint64_t kBatchTimeoutNs = 5'000'000, kForeverNs = 600'000'000'000;
const torch::Device kDevice(torch::kCUDA, 0);

struct Options {
  double seconds = 2, peak_tflops = 0;
};

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Each has the same weights.
Model FullModel(torch::Device device, torch::Dtype type) {
  Model model = RandomModel(Config());
  model->PrepareInference(device, type);
  return model;
}

// ---- parity

struct Sampled {
  Tensor latents, pictures;  // float32 on the CPU; latents decoded unquantised: no code flips
};

Sampled SampleOn(torch::Device device, torch::Dtype type) {
  Model model = FullModel(device, type);
  const PortraitAndSpeech portrait(model, device, {256, 256, 128, 150, 150});
  SceneSettings options = SceneOf(256, 256, PixelFormat::kNV12);
  options.family_options.Set("sampler-steps", kParitySteps);
  const auto scene = portrait.Scene(options);
  const auto controls = portrait.Controls(kParityFrames);
  std::vector<FaceRequest> requests;
  for (const auto& one : controls) requests.push_back({scene.get(), one->heard.get()});
  nets::FinishWork(device);
  const Tensor latents = SampleFaces(model, requests, {}, [] { return false; });
  const Tensor pictures = model->first_stage->DecodeCodes(latents).to(torch::kFloat32);
  return {latents.cpu(), ((pictures + 1) / 2).clamp(0, 1).cpu()};
}

double Difference(const Tensor& got, const Tensor& wanted) {
  return ((got - wanted).abs().max() / wanted.abs().max()).item<double>();
}

bool Verdict(const char* what, double value, bool good) {
  std::printf("%s: %.3g %s\n", what, value, good ? "ok" : "BAD");
  std::fflush(stdout);
  return good;
}

bool CheckParity() {
  const Sampled cpu = SampleOn(torch::kCPU, torch::kFloat32);
  const Sampled cuda = SampleOn(kDevice, torch::kFloat32);
  const Sampled fast = SampleOn(kDevice, torch::kBFloat16);
  const double latents = Difference(cuda.latents, cpu.latents);
  const double pictures = Difference(cuda.pictures, cpu.pictures);
  const double noise = (fast.pictures - cuda.pictures).square().mean().item<double>();
  const double psnr = -10 * std::log10(std::max(noise, 1e-20));
  bool good = Verdict("parity float32, latents, CUDA against CPU, relative", latents,
                      latents <= kFloatTolerance);
  good &= Verdict("parity float32, pictures, CUDA against CPU, relative", pictures,
                  pictures <= kFloatTolerance);
  good &= Verdict("parity bfloat16 against float32 on CUDA, PSNR in dB", psnr, psnr >= kLeastPsnr);
  return good;
}

// ---- the U-Net's share of the peak

// Of a call that queues work on the current stream, the best of some.
double SecondsOf(const std::function<void()>& run, int calls) {
  double best = 1e9;
  for (int round = 0; round < 4; ++round) {
    nets::FinishWork(kDevice);
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) run();
    nets::FinishWork(kDevice);
    best = std::min(best, Since(start) / calls);
  }
  return best;
}

double MeasuredPeak() {
  constexpr int64_t kSide = 8192;
  const auto options = torch::TensorOptions(torch::kBFloat16).device(kDevice);
  const Tensor a = torch::randn({kSide, kSide}, options), b = torch::randn({kSide, kSide}, options);
  Tensor c = torch::empty({kSide, kSide}, options);
  const double side = static_cast<double>(kSide);
  return 2 * side * side * side / SecondsOf([&] { torch::mm_out(c, a, b); }, 10) / 1e12;
}

// GFLOP of one frame's U-Net step and decoding.
struct Work {
  double unet = 0, decoder = 0;
};

struct UnetInputs {
  UnetInputs(Model& model, int64_t frames, torch::Device device) {
    const Config& config = model->config();
    const auto options = torch::TensorOptions(device);
    const int64_t latent = config.latent_size();
    x = torch::randn({frames, 3 * config.latent_channels, latent, latent}, options);
    t = torch::full({1}, 500, options.dtype(torch::kInt64));
    guidance = model->unet->Fold(torch::randn({frames, 1, config.context_features()}, options));
    latents = torch::randn({frames, config.latent_channels, latent, latent}, options);
  }
  Tensor x, t, latents;
  Guidance guidance;
};

Work CountWork() {
  Model model = RandomModel(Config());
  UnetInputs in(model, 1, torch::kCPU);
  return {GflopOf([&] { model->unet(in.x, in.t, in.guidance); }),
          GflopOf([&] { model->first_stage->DecodeCodes(in.latents); })};
}

void PrintShare(const Options& options) {
  const Work work = CountWork();
  const double measured = MeasuredPeak();
  const double peak = options.peak_tflops > 0 ? options.peak_tflops : measured;
  std::printf("matrix product 8192 x 8192 x 8192 bfloat16: %.0f TFLOP/s; shares are of %.0f\n",
              measured, peak);
  Model model = FullModel(kDevice, torch::kBFloat16);
  const auto accelerator = nets::OpenCudaAccelerator(0, 0);
  const nets::Lane lane(kDevice, nets::Lane::Urgency::kRecorded);
  const auto entered = lane.Enter();
  for (const int64_t frames : {1, 2, 4, 8, 16, 32, 64}) {
    const UnetInputs in(model, frames, kDevice);
    const auto step = [&] { model->unet(in.x, in.t, in.guidance); };
    const auto decode = [&] { model->Decode(in.latents, frames); };
    const auto step_graph = accelerator->Record(step, 0);
    const auto decode_graph = accelerator->Record(decode, 1);
    const double eager = SecondsOf(step, 5);
    const double recorded = SecondsOf([&] { step_graph->Replay(); }, 5);
    const double decoded = SecondsOf([&] { decode_graph->Replay(); }, 5);
    const auto share = [&](double gflop, double seconds) {
      return 100 * gflop * static_cast<double>(frames) / seconds / 1e3 / peak;
    };
    std::printf(
        "batch %2ld: U-Net step %.2f ms (kernel by kernel %.2f), %.1f %% of the peak; decoder "
        "%.2f ms, %.1f %%\n",
        static_cast<long>(frames), 1e3 * recorded, 1e3 * eager, share(work.unet, recorded),
        1e3 * decoded, share(work.decoder, decoded));
    std::fflush(stdout);
  }
}

// ---- frames a second

class Streams {
 public:
  Streams(Family* family, const PortraitAndSpeech& portrait, uint32_t steps) : family_(*family) {
    options_ = SceneOf(512, 512, PixelFormat::kNV12);
    options_.family_options.Set("sampler-steps", steps);
    scene_ = portrait.Scene(options_);
  }

  // Frames a second of all streams together, after a second that does not count.
  double Run(size_t count, double seconds, double* mean_batch) {
    Scheduler scheduler(family_, family_.Workers());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < count; ++i) threads.emplace_back([&] { Stream(&scheduler); });
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const Stats before = scheduler.GetStats();
    const auto start = Clock::now();
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    const Stats after = scheduler.GetStats();
    const double passed = Since(start);
    stop_ = true;
    for (std::thread& thread : threads) thread.join();
    const double frames = static_cast<double>(after.frames - before.frames);
    *mean_batch = frames / std::max(1.0, static_cast<double>(after.batches - before.batches));
    return frames / passed;
  }

  uint64_t failed() const { return failed_; }

 private:
  void Stream(Scheduler* scheduler) {
    const auto speech = family_.OpenSpeech();
    std::vector<FrameMemory> memory;
    for (size_t i = 0; i <= kInFlight; ++i) memory.emplace_back(options_.target);
    const std::vector<float> samples = NoisySpeech(16000);
    Scheduler::Client client(*scheduler);
    std::deque<uint64_t> tickets;
    const auto wait = [&] {
      if (!client.Wait(tickets.front(), kForeverNs).ok()) ++failed_;
      tickets.pop_front();
    };
    for (uint64_t n = 0; !stop_; ++n) {
      const uint64_t time_ns = n * kFrameStepNs;
      while (!speech->Ready(time_ns)) speech->Push(samples.data(), samples.size());
      RenderItem item;
      item.scene = scene_;
      item.controls = speech->Take(time_ns);
      item.time_ns = time_ns;
      item.target = memory[n % memory.size()].target;
      tickets.push_back(client.Submit({item, 0, kBatchTimeoutNs}));
      if (tickets.size() >= kInFlight) wait();
    }
    while (!tickets.empty()) wait();
  }

  Family& family_;
  SceneSettings options_;
  std::shared_ptr<FaceScene> scene_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> failed_{0};
};

bool PrintFrameRates(const Options& options) {
  const test::TemporaryFolder folder;
  WriteRandomPack(folder / "full", Config(), /*trained=*/true);
  const auto pack = Pack::Open(folder / "full", "");
  const auto family =
      OpenFamily({*pack, "cuda:0", Precision::kBfloat16, "", [](int, const char*) {}});
  const PortraitAndSpeech portrait(FullModel(kDevice, torch::kBFloat16), kDevice,
                                   {512, 512, 256, 300, 300});
  bool good = true;
  double batch = 0;
  for (const size_t count : {1, 8, 32}) {
    Streams(family.get(), portrait, 1).Run(count, 1, &batch);  // networks are recorded meanwhile
    for (const uint32_t steps : {1u, 2u, 4u, 8u, 20u}) {
      Streams streams(family.get(), portrait, steps);
      const double rate = streams.Run(count, options.seconds, &batch);
      std::printf(
          "%2zu streams, %2u steps: %.1f frames/s, %.2f x real time each, batches of %.1f\n", count,
          steps, rate, rate / 25 / static_cast<double>(count), batch);
      std::fflush(stdout);
      if (streams.failed() > 0)
        good = Verdict("failed frames", static_cast<double>(streams.failed()), false);
    }
  }
  return good;
}

bool Parse(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; i += 2) {
    const double value = i + 1 < argc ? std::atof(argv[i + 1]) : 0;
    if (value <= 0) return false;
    if (std::strcmp(argv[i], "--seconds") == 0)
      options->seconds = value;
    else if (std::strcmp(argv[i], "--peak") == 0)
      options->peak_tflops = value;
    else
      return false;
  }
  return true;
}

int Main(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, &options)) {
    std::fprintf(stderr, "usage: mftfg-cuda [--seconds S] [--peak TFLOPS]\n");
    return 2;
  }
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr ||
      !torch::cuda::is_available()) {
    std::printf("no CUDA device\n");
    return kSkipped;
  }
  const torch::NoGradGuard no_gradients;
  at::globalContext().setAllowTF32CuDNN(false);
  std::printf("%s, %u processor threads\n", nets::OpenCudaAccelerator(0, 0)->Describe().c_str(),
              std::thread::hardware_concurrency());
  std::fflush(stdout);
  bool good = CheckParity();
  PrintShare(options);
  good &= PrintFrameRates(options);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace talkface::mftfg

int main(int argc, char** argv) { return talkface::mftfg::Main(argc, argv); }
