// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/model.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "models/core/error.h"
#include "models/families/mftfg/model/noise.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr uint32_t kStartDraw = 0;  // a frame's first draw; step k of the inpainting is draw k + 1

// Registers the parts of `module` as children of `parent` below `prefix`: their official names do
// not mention the class that holds them together here.
void PlaceParts(torch::nn::Module& parent, const std::string& prefix,
                const torch::nn::Module& module) {
  for (const auto& part : module.named_children())
    nets::PlaceModule(parent, prefix + part.key(), part.value());
}

// Frames first .. first + count - 1 of what may be the same for all.
Tensor Frames(const Tensor& all, int64_t first, int64_t count) {
  return all.size(0) == 1 ? all : all.narrow(0, first, count);
}

}  // namespace

LatentNoise SeededNoise(uint64_t seed, std::vector<uint64_t> frames, torch::IntArrayRef shape) {
  const auto draw = [noise = Noise(seed), frames = std::move(frames), sizes = shape.vec()](
                        uint32_t number, int64_t first, int64_t count) {
    const auto begin = frames.begin() + first;
    return noise.Draw({begin, begin + count}, number, sizes);
  };
  return {[draw](int64_t first, int64_t count) { return draw(kStartDraw, first, count); },
          [draw](int64_t step, int64_t first, int64_t count) {
            return draw(static_cast<uint32_t>(step) + kStartDraw + 1, first, count);
          }};
}

ModelImpl::ModelImpl(const Config& config)
    : audio(config),
      units(config),
      mask_generator(config),
      fusion(config),
      unet(config),
      first_stage(config),
      config_(config) {
  PlaceParts(*this, "", *audio);
  nets::Place(*this, "cond_stage_model_for_ldm", landmarks);
  PlaceParts(*this, "", *units);
  nets::Place(*this, "mask_model", mask_generator);
  PlaceParts(*this, "model.", *fusion);
  nets::Place(*this, "model.diffusion_model", unet);
  nets::Place(*this, "first_stage_model", first_stage);
}

FaceLatents ModelImpl::EncodeFace(const FacePictures& pictures) {
  const auto encode = [this](const Tensor& picture) {
    std::vector<Tensor> latents;  // one by one: activations at picture size are large
    for (const Tensor& frame : picture.split(1))
      latents.push_back(first_stage->Encode(frame).to(torch::kFloat32));
    return torch::cat(latents);  // [T or 1, Z, L, L]
  };
  FaceLatents face;
  face.mask = mask_generator(pictures.mask_input, pictures.units).mask;  // [1, 1, R, R]
  const FaceParts parts = SplitFace(pictures.reference, face.mask, config_.wiring);
  face.audio_face = encode(parts.audio_face);
  face.identity_face = encode(parts.identity_face);
  face.frames = encode(pictures.frames);
  face.masked = encode(pictures.masked);
  face.keep = pictures.keep.to(torch::kFloat32);
  return face;
}

Tensor ModelImpl::Context(const SpeechWindow& window, const FaceLatents& face) {
  const Tensor mfcc = window.mfcc.unsqueeze(0);  // [1, T, 12, 25]
  const Tensor valid = window.valid.defined() ? window.valid.unsqueeze(0) : Tensor();
  FusionInput input;
  input.audio = audio(mfcc, valid);                            // [1, T, A]
  input.audio_face = face.audio_face.unsqueeze(0);             // [1, 1, Z, L, L]
  input.landmarks = landmarks(window.landmarks.unsqueeze(0));  // [1, T or 1, 64]
  input.units = units(mfcc, valid).features;                   // [1, T, 320]
  input.valid = valid;
  return fusion(input);  // [T, 1, K]
}

Tensor ModelImpl::SampleBatch(int64_t first, const Tensor& context, const FaceLatents& face,
                              const SampleOptions& options) {
  const int64_t count = context.size(0);
  SamplerInput input;
  input.start = options.noise.start(first, count).to(context.device());  // [B, Z, L, L]
  const Guidance guidance = unet->Fold(context);
  const auto whole = [count](const Tensor& t) { return t.expand({count, -1, -1, -1}); };
  const Tensor conditions = torch::cat(
      {whole(Frames(face.masked, first, count)), whole(Frames(face.identity_face, first, count))},
      1);  // [B, 2 Z, L, L]
  const auto plain = [&](const Tensor& x, int64_t t) {
    const Tensor time = torch::tensor({t}, torch::TensorOptions(torch::kInt64).device(x.device()));
    return unet(torch::cat({x, conditions}, 1), time, guidance);
  };
  input.denoise = options.denoiser ? options.denoiser(conditions, guidance) : Denoiser(plain);
  Inpainting given;
  given.latents = Frames(face.frames, first, count);
  given.mask = Frames(face.keep, first, count);
  given.noise = [&](int64_t step) {
    return options.noise.renoise(step, first, count).to(context.device());
  };
  if (options.inpaint) input.inpainting = &given;
  input.done = options.done;
  return options.sampler == Sampler::kDdim ? SampleDdim(schedule_, options.steps, input)
                                           : SampleFast(schedule_, options.steps, input);
}

Tensor ModelImpl::Sample(const Tensor& context, const FaceLatents& face,
                         const SampleOptions& options) {
  std::vector<Tensor> latents;
  for (int64_t first = 0; first < context.size(0); first += options.batch) {
    const int64_t count = std::min(options.batch, context.size(0) - first);
    latents.push_back(SampleBatch(first, context.narrow(0, first, count), face, options));
  }
  return torch::cat(latents);  // [T, Z, L, L]
}

Tensor ModelImpl::Decode(const Tensor& latents, int64_t batch) {
  std::vector<Tensor> pictures;
  for (const Tensor& part : latents.split(batch)) {
    const Tensor decoded = first_stage->Decode(part).to(torch::kFloat32);  // [B, 3, R, R]
    pictures.push_back(((decoded + 1) / 2).clamp(0, 1));
  }
  return torch::cat(pictures);
}

void ModelImpl::PrepareInference(torch::Device device, torch::Dtype dtype) {
  if (dtype == torch::kFloat16 && device.is_cpu()) {
    throw Error(Code::kUnsupported,
                "float16 needs a CUDA device; on a CPU choose bfloat16 or float32.");
  }
  eval();
  to(device);
  for (torch::nn::Module* network : {static_cast<torch::nn::Module*>(unet.get()),
                                     static_cast<torch::nn::Module*>(first_stage.get())}) {
    nets::MoveModel(*network, device, dtype);
    if (device.is_cpu()) nets::PackModel(*network);
  }
}

Tensor ToBytes(const Tensor& pictures) {
  return (pictures * 255).to(torch::kUInt8).permute({0, 2, 3, 1}).contiguous();
}

}  // namespace talkface::mftfg
