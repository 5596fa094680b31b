// SPDX-License-Identifier: MIT
// The paper's model as a whole: from speech features and a face's pictures to frames.
//
//   speech, landmarks --> Context() ---- c ---.
//   pictures --> EncodeFace() --> latents --> Sample() --> latents --> Decode() --> frames
//
// Both wirings (Config::wiring) run through the same lines. Parameters have the names of the
// official checkpoints from the root on ("model.diffusion_model.", "audio2AU10_model.", ...), so
// LoadParameters(*model, file, "") fills all of it.
//   T frames, R picture size, Z and L latent channels and size, K context features
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "models/families/mftfg/config.h"
#include "models/families/mftfg/model/audio2au.h"
#include "models/families/mftfg/model/audio_encoder.h"
#include "models/families/mftfg/model/first_stage.h"
#include "models/families/mftfg/model/fusion.h"
#include "models/families/mftfg/model/landmark_encoder.h"
#include "models/families/mftfg/model/mask_generator.h"
#include "models/families/mftfg/model/samplers.h"
#include "models/families/mftfg/model/unet.h"

namespace talkface::mftfg {

// Pictures are float32 in -1..1. What is the same for all frames has 1 for T.
struct FacePictures {
  torch::Tensor reference;   // [1, 3, R, R]: who it is
  torch::Tensor mask_input;  // [1, 3, R, R]: the same, as the mask generator wants it resampled
  torch::Tensor units;       // [1, 5]: the reference's action units, 0..5
  torch::Tensor frames;      // [T or 1, 3, R, R]: what is kept outside of the region
  torch::Tensor masked;      // [T or 1, 3, R, R]: the frames with the mouth's part hidden
  torch::Tensor keep;        // [T or 1, 1, L, L]: 1 keeps the frames' latents, 0 is generated
};

// What of a face does not depend on speech or noise: once a portrait. Immutable.
struct FaceLatents {
  torch::Tensor mask;           // [1, 1, R, R], of the mask generator
  torch::Tensor audio_face;     // [1, Z, L, L], what speech moves
  torch::Tensor identity_face;  // [T or 1, Z, L, L], what it does not
  torch::Tensor frames;         // [T or 1, Z, L, L]
  torch::Tensor masked;         // [T or 1, Z, L, L]
  torch::Tensor keep;           // [T or 1, 1, L, L], float32
};

// Speech and landmarks of one window.
struct SpeechWindow {
  torch::Tensor mfcc;       // [T, 12, 25]
  torch::Tensor landmarks;  // [T or 1, 39, 2], as LdmNet wants them
  torch::Tensor valid;      // [T] bool, or none: all frames are
};

// The noise of frames first .. first + count - 1 of the window, [count, Z, L, L].
struct LatentNoise {
  std::function<torch::Tensor(int64_t first, int64_t count)> start;                  // x_T
  std::function<torch::Tensor(int64_t step, int64_t first, int64_t count)> renoise;  // inpainting
};

// Noise that depends on the seed and on each frame's number alone (noise.h). The same number twice
// gives the same noise twice: a stream that uses one number for all its frames does not flicker.
LatentNoise SeededNoise(uint64_t seed, std::vector<uint64_t> frames, torch::IntArrayRef shape);

// A batch's denoiser, out of what stays the same in all steps: conditions [B, 2 Z, L, L], which
// follow x in the U-Net's input, and what the transformers are told.
using MakeDenoiser =
    std::function<Denoiser(const torch::Tensor& conditions, const Guidance& guidance)>;

enum class Sampler { kDdim, kFast };

struct SampleOptions {
  Sampler sampler = Sampler::kFast;
  int64_t steps = 0;
  int64_t batch = 1;    // frames that pass the U-Net together; does not change the result
  bool inpaint = true;  // keep FaceLatents::frames where `keep` is 1
  LatentNoise noise;
  StepDone done;          // may be empty; may throw to stop
  MakeDenoiser denoiser;  // empty: the U-Net, called as it is
};

class ModelImpl : public torch::nn::Module {
 public:
  explicit ModelImpl(const Config& config);

  FaceLatents EncodeFace(const FacePictures& pictures);
  // One token a frame: [T, 1, K].
  torch::Tensor Context(const SpeechWindow& window, const FaceLatents& face);
  // Latents of all frames of a context, [T, Z, L, L], float32.
  torch::Tensor Sample(const torch::Tensor& context, const FaceLatents& face,
                       const SampleOptions& options);
  // Latents [T, Z, L, L] -> pictures [T, 3, R, R] in 0..1, float32.
  torch::Tensor Decode(const torch::Tensor& latents, int64_t batch = 1);

  // For inference: eval mode, U-Net and first stage at `dtype` (their norms at float32, the small
  // networks too), fast paths where there are any. float16 needs CUDA: Error{kUnsupported}.
  void PrepareInference(torch::Device device, torch::Dtype dtype);

  const Config& config() const { return config_; }

  AudioEncoder audio;
  LdmNet landmarks;
  UnitEncoder units;
  MaskGenerator mask_generator;
  Fusion fusion;
  Unet unet;
  FirstStage first_stage;

 private:
  torch::Tensor SampleBatch(int64_t first, const torch::Tensor& context, const FaceLatents& face,
                            const SampleOptions& options);

  Config config_;
  Schedule schedule_;
};
TORCH_MODULE(Model);

// Pictures in 0..1 -> bytes [T, R, R, 3], cut off as the official code does, not rounded.
torch::Tensor ToBytes(const torch::Tensor& pictures);

}  // namespace talkface::mftfg
