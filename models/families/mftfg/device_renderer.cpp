// SPDX-License-Identifier: MIT
#include "models/families/mftfg/device_renderer.h"

#include <ATen/Parallel.h>

#include <array>

namespace talkface::mftfg {
namespace {

using torch::Tensor;
using Items = std::vector<const RenderItem*>;

// Graphs that are kept of each network: one for each size of a batch up to the largest, 64, since
// a size that comes and goes must not be recorded again and again. Each holds its inputs and its
// result, and all of a pool the largest one's activations.
constexpr size_t kMostGraphs = 7;
constexpr int kSamplingPool = 0, kDrawingPool = 1;
static_assert(kDrawingPool < nets::kRecordPools);
// Steps that are queued ahead of the device: enough to keep it at work, few so that a flush is
// quick.
constexpr int64_t kStepsAhead = 2;

const SpeechControls& ControlsOf(const RenderItem& item) {
  return static_cast<const SpeechControls&>(*item.controls);
}

// In pinned memory where the device copies by itself.
Tensor HostCopy(const Tensor& result) {
  if (result.is_cpu()) return result;
  const Tensor host =
      torch::empty(result.sizes(), torch::TensorOptions(torch::kUInt8).pinned_memory(true));
  return host.copy_(result, /*non_blocking=*/true);
}

}  // namespace

struct DeviceRenderer::Drawn {
  FrameCompositor::Frame frame;
  Tensor bytes;  // of the result, in host memory
};

DeviceRenderer::DeviceRenderer(Model model, torch::Device device,
                               std::unique_ptr<nets::Accelerator> accelerator)
    : model_(std::move(model)),
      accelerator_(std::move(accelerator)),
      times_(torch::arange(kDiffusionTimes, torch::TensorOptions(torch::kInt64).device(device))),
      sampling_(device, nets::Lane::Urgency::kRecorded),
      drawing_(device, nets::Lane::Urgency::kRecorded),
      fusion_(Graphs(
          [this](const std::vector<Tensor>& in) {
            const Tensor valid = in.size() > 4 ? in[4] : Tensor();
            return model_->fusion(FusionInput{in[0], in[1], in[2], in[3], valid});
          },
          kSamplingPool)),
      unet_(Graphs(
          [this](const std::vector<Tensor>& in) {
            const Guidance guidance{{}, {in.begin() + 3, in.end()}};
            return model_->unet(torch::cat({in[0], in[2]}, 1), in[1], guidance);
          },
          kSamplingPool)),
      decoder_(Graphs(
          [this](const std::vector<Tensor>& in) { return model_->Decode(in[0], in[0].size(0)); },
          kDrawingPool)) {
  nets::FinishWork(device);
}

nets::BatchGraphs DeviceRenderer::Graphs(nets::BatchGraphs::Network network, int pool) {
  const auto record = [this, pool](const std::function<void()>& work) {
    return accelerator_->Record(work, pool);
  };
  return nets::BatchGraphs(std::move(network), record, kMostGraphs);
}

Tensor DeviceRenderer::Fuse(const FusionInput& input) {
  std::vector<Tensor> inputs = {input.audio, input.audio_face, input.landmarks, input.units};
  const bool padded = !model_->config().official();  // a recording has a mask always, or never
  if (padded) {
    inputs.push_back(input.valid.defined()
                         ? input.valid
                         : torch::ones({input.audio.size(0), input.audio.size(1)},
                                       input.audio.options().dtype(torch::kBool)));
  }
  return fusion_.Begin(input.audio.size(0), inputs).Run();
}

// A step of the U-Net is what is recorded, not the sampler: a step's work dwarfs the few kernels
// between two of them, one recording serves every number of steps, and a flush ends between two.
Denoiser DeviceRenderer::MakeStep(const Tensor& conditions, const Guidance& guidance) {
  const int64_t count = conditions.size(0), latent = conditions.size(1) / 2;
  std::vector<Tensor> inputs = {conditions.narrow(1, 0, latent), times_.narrow(0, 0, 1),
                                conditions};  // the first two are set in each step
  inputs.insert(inputs.end(), guidance.folded.begin(), guidance.folded.end());
  return [this, batch = unet_.Begin(count, inputs)](const Tensor& x, int64_t t) mutable {
    batch.Set(0, x);
    batch.Set(1, times_.narrow(0, t, 1));
    return batch.Run();
  };
}

Tensor DeviceRenderer::Sample(const std::vector<FaceRequest>& requests,
                              const std::function<bool()>& stop, nets::Mark* sampled) {
  const std::lock_guard<std::mutex> lock(sampling_mutex_);
  const auto entered = sampling_.Enter();
  for (const FaceRequest& request : requests) request.heard->ready.Hold(sampling_);
  std::array<nets::Mark, kStepsAhead> steps;
  int64_t step = 0;
  const auto stop_after = [&] {
    nets::Mark& mark = steps[static_cast<size_t>(step++ % kStepsAhead)];
    mark.Wait();
    mark.Set(sampling_);
    return stop();
  };
  NetworkCalls calls;
  calls.fuse = [this](const FusionInput& input) { return Fuse(input); };
  calls.denoiser = [this](const Tensor& conditions, const Guidance& guidance) {
    return MakeStep(conditions, guidance);
  };
  const Tensor latents = SampleFaces(model_, requests, calls, stop_after);
  sampled->Set(sampling_);
  return latents;
}

std::vector<DeviceRenderer::Drawn> DeviceRenderer::Draw(const Items& items,
                                                        const std::vector<FaceRequest>& requests,
                                                        const Tensor& latents) {
  drawing_.Keep(latents);
  const Tensor pictures = decoder_.Begin(latents.size(0), {latents}).Run();  // [B, 3, R, R]
  std::vector<const nets::Seam*> seams;
  for (const FaceRequest& request : requests) seams.push_back(&request.scene->identity().seam);
  const Tensor matched = nets::MatchSeams(pictures, seams).contiguous();  // plane after plane
  std::vector<Drawn> drawn;
  for (size_t i = 0; i < items.size(); ++i) {
    FrameCompositor::Frame frame = requests[i].scene->compositor().Begin(
        matched[static_cast<int64_t>(i)], ControlsOf(*items[i]).shown, items[i]->time_ns);
    accelerator_->Compose(frame.job);
    const Tensor bytes = HostCopy(frame.result);
    drawn.push_back({std::move(frame), bytes});
  }
  return drawn;
}

void DeviceRenderer::Render(const Items& items) {
  const torch::NoGradGuard no_gradients;
  const std::vector<FaceRequest> requests = RequestsOf(items);
  nets::Mark sampled, copied;
  const Tensor latents = Sample(
      requests, [&items] { return AllCancelled(items); }, &sampled);
  std::vector<Drawn> drawn;
  {
    const std::lock_guard<std::mutex> lock(drawing_mutex_);
    const auto entered = drawing_.Enter();
    sampled.Hold(drawing_);
    drawn = Draw(items, requests, latents);
    copied.Set(drawing_);
  }
  copied.Wait();
  at::parallel_for(0, static_cast<int64_t>(items.size()), 1, [&](int64_t from, int64_t to) {
    for (auto i = static_cast<size_t>(from); i < static_cast<size_t>(to); ++i) {
      requests[i].scene->compositor().Finish(drawn[i].frame,
                                             drawn[i].bytes.const_data_ptr<uint8_t>(),
                                             items[i]->time_ns, items[i]->target);
    }
  });
}

std::string DeviceRenderer::Trouble() const {
  std::string trouble;
  const auto add = [&trouble](std::mutex& mutex, const nets::BatchGraphs& graphs) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (trouble.empty()) trouble = graphs.trouble();
  };
  add(sampling_mutex_, fusion_);
  add(sampling_mutex_, unet_);
  add(drawing_mutex_, decoder_);
  return trouble;
}

}  // namespace talkface::mftfg
