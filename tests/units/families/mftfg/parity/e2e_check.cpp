// SPDX-License-Identifier: MIT
// i_e2e: the official inference.py as a whole, with the frames of a clip and with one still.
#include <cstdio>
#include <string>
#include <vector>

#include "models/families/mftfg/model/model.h"
#include "models/torch/parameters.h"
#include "tests/units/families/mftfg/parity/checks.h"
#include "tests/units/families/mftfg/parity/pictures.h"
#include "tests/units/families/mftfg/parity/sizes.h"
#include "tests/units/families/mftfg/parity/streamed_clip.h"

namespace talkface::parity {
namespace {

using torch::Tensor;

constexpr double kPictureTolerance = 1e-3;
constexpr double kByteTolerance = 1;   // bytes are cut off, so a rounding may cost one
constexpr double kClearMargin = 2e-4;  // below it two codes are as near as rounding can tell
constexpr int64_t kBatch = 10;

// [T, H, W, C] bytes -> [T, C, H, W] in -1..1.
Tensor Pictures(const Tensor& bytes) {
  const Tensor values = bytes.to(torch::kFloat64) / 127.5 - 1;
  return values.to(torch::kFloat32).permute({0, 3, 1, 2}).contiguous();
}

class Run {
 public:
  Run(Reference* reference, mftfg::Model* model)
      : reference_(reference), model_(*model), kept_(reference->Get("mid/frames_kept")) {
    reference->IsNoOutput("mid/frames_kept");
    start_ = reference->Get("in/x_T");
    renoise_ = reference->Get("in/renoise");  // [S, T, Z, L, L]
    window_.mfcc = reference->Get("in/mfcc");
    window_.landmarks = reference->Get("in/landmarks39");
  }

  // Of the clip's frames, or of the first one only.
  void EncodeFace(bool still) {
    Tensor frames = reference_->Get("in/frames");
    if (still) frames = frames.narrow(0, 0, 1).expand_as(frames);
    // The file's are in pixels of the picture, ImageMask wants them in the crop's.
    const double scale =
        static_cast<double>(imaging::kCropSize) / static_cast<double>(frames.size(1));
    const Tensor landmarks = reference_->Get("in/landmarks68").to(torch::kFloat64) * scale;
    std::vector<Tensor> masked;
    for (int64_t i = 0; i < frames.size(0); ++i)
      masked.push_back(Values(mftfg::ImageMask(ImageOf(frames[i]), PointsOf(landmarks[i]))));
    image_masks_ = torch::stack(masked);  // [T, R, R, 3]
    mftfg::FacePictures pictures;
    pictures.reference = Pictures(reference_->Get("in/reference").unsqueeze(0));
    pictures.mask_input = reference_->Get("in/mask_input").unsqueeze(0);
    pictures.units = reference_->Get("in/au").unsqueeze(0);
    pictures.frames = Pictures(still ? frames.narrow(0, 0, 1) : frames);
    pictures.masked = Pictures(image_masks_);
    pictures.keep = reference_->Get("in/inference_mask").unsqueeze(1);
    face_ = model_->EncodeFace(pictures);
  }

  void CompareFace() {
    reference_->Compare("mid/image_mask_u8", image_masks_.index({kept_}), kExact);
    reference_->Compare("mid/mask", face_.mask, kModuleTolerance);
    reference_->Compare("mid/lip_frame0", face_.audio_face, kModuleTolerance);
    reference_->Compare("mid/lip1_frame0", face_.identity_face, kModuleTolerance);
    reference_->Compare("mid/mask_image_latent", face_.masked.index({kept_}), kModuleTolerance);
    reference_->Compare("mid/z", face_.frames.index({kept_}), kModuleTolerance);
  }

  void CompareFeatures() {
    const Tensor mfcc = window_.mfcc.unsqueeze(0);
    const int64_t frames = window_.mfcc.size(0);
    mftfg::FusionInput input;
    input.audio = model_->audio(mfcc);
    input.audio_face = face_.audio_face.unsqueeze(0);
    input.landmarks = model_->landmarks(window_.landmarks.unsqueeze(0));
    input.units = model_->units(mfcc).features;
    reference_->Compare("mid/AU_feature", input.units.squeeze(0), kModuleTolerance);
    reference_->Compare("mid/audio8", input.audio.squeeze(0), kModuleTolerance);
    reference_->Compare("mid/ldm64", input.landmarks.squeeze(0), kModuleTolerance);
    const Tensor lip = model_->fusion->fc2(model_->fusion->fc1(face_.audio_face.flatten(1)));
    reference_->Compare("mid/f2", lip.expand({frames, -1}), kModuleTolerance);
    const Tensor features = model_->fusion->Concatenate(input);  // [1, T, F]
    reference_->Compare("mid/cc396", features.squeeze(0), kModuleTolerance);
    const Tensor fused = model_->fusion->tacn(features.transpose(1, 2));  // [1, C, T]
    reference_->Compare("mid/context", fused.transpose(1, 2).transpose(0, 1), kModuleTolerance);
  }

  Tensor Sample() {
    mftfg::SampleOptions options;
    options.sampler = mftfg::Sampler::kDdim;
    options.steps = renoise_.size(0);
    options.batch = kBatch;
    options.noise.start = [this](int64_t first, int64_t count) {
      return start_.narrow(0, first, count);
    };
    options.noise.renoise = [this](int64_t step, int64_t first, int64_t count) {
      return renoise_[step].narrow(0, first, count);
    };
    steps_.assign(static_cast<size_t>(options.steps), {});
    options.done = [this](int64_t step, const Tensor& x, const Tensor&) {
      steps_[static_cast<size_t>(step)].push_back(x);
    };
    return model_->Sample(model_->Context(window_, face_), face_, options);
  }

  void CompareSteps() {
    std::vector<Tensor> steps;
    for (const std::vector<Tensor>& batches : steps_)
      steps.push_back(torch::cat(batches).index({kept_}));
    reference_->Compare("mid/x_steps", torch::stack(steps), kLatentTolerance);
    const Tensor noise = FirstNoisePrediction();
    reference_->Compare("mid/eps_step0", noise, kModuleTolerance);
  }

  // Latents, codes and pictures. Where two codes are as near, the golden one is decoded.
  void ComparePictures(const Tensor& latents) {
    reference_->Compare("out/latent", latents, kLatentTolerance);
    const Tensor clear = reference_->Get("out/code_margin") >= kClearMargin;  // [T, L, L]
    reference_->IsNoOutput("out/code_margin");
    const Tensor golden = reference_->Get("out/indices").to(torch::kInt64);
    const Tensor indices = model_->first_stage->quantize->Indices(latents);
    reference_->Compare("out/indices", indices, kExact, clear);
    const Tensor chosen = torch::where(clear, indices, golden);
    const Tensor codes = model_->first_stage->quantize->embedding(chosen).permute({0, 3, 1, 2});
    const Tensor pictures = model_->Decode(codes, kBatch);  // each code is its own nearest
    reference_->Compare("out/rgb01", pictures.index({kept_}), kPictureTolerance);
    reference_->Compare("out/frames_u8", mftfg::ToBytes(pictures), kByteTolerance);
    const Tensor plain = model_->first_stage->DecodeCodes(latents.index({kept_}));
    reference_->Compare("out/decoded_noquant", plain, kPictureTolerance);
  }

  // The same through the classes that stream, from the clip's samples on. The networks' fast paths
  // for a CPU are taken from here on.
  Tensor Stream() {
    model_->PrepareInference(torch::kCPU, torch::kFloat32);
    Clip clip;
    const auto speech = SafeTensors::Open(reference_->PathBeside("a_mfcc.safetensors"));
    const Tensor wave = nets::ToTensor(speech->Get("in/wave")).to(torch::kFloat32) / 32768;
    clip.speech.assign(wave.const_data_ptr<float>(), wave.const_data_ptr<float>() + wave.numel());
    clip.face = face_;
    clip.landmarks = window_.landmarks;
    clip.start = start_;
    clip.renoise = renoise_;
    return StreamedLatents(model_, clip);
  }

  void CompareStill(const Tensor& latents) {
    const Tensor kept = latents.index({kept_});
    reference_->Compare("out/still_latent", kept, kLatentTolerance);
    // The golden latents are decoded: near a border of two codes ours would differ.
    const Tensor pictures = model_->Decode(reference_->Get("out/still_latent"));
    reference_->Compare("out/still_frames_u8", mftfg::ToBytes(pictures), kByteTolerance);
  }

 private:
  // The denoiser's output in the first step, for the frames that the file keeps.
  Tensor FirstNoisePrediction() {
    const mftfg::Schedule schedule;
    const int64_t t = mftfg::DdimSchedule(schedule, renoise_.size(0)).times.back();
    const Tensor keep = face_.keep.index({kept_});
    const Tensor noisy =
        schedule.QSample(face_.frames.index({kept_}), t, renoise_[0].index({kept_}));
    const Tensor x = keep * noisy + (1 - keep) * start_.index({kept_});
    const Tensor input =
        torch::cat({x, face_.masked.index({kept_}), face_.identity_face.expand_as(x)}, 1);
    const Tensor context = model_->Context(window_, face_).index({kept_});
    return model_->unet(input, torch::tensor({t}), model_->unet->Attend(context));
  }

  Reference* reference_;
  mftfg::Model model_;
  Tensor kept_, start_, renoise_, image_masks_;
  mftfg::SpeechWindow window_;
  mftfg::FaceLatents face_;
  std::vector<std::vector<Tensor>> steps_;  // by step: the batches' x
};

// The official state dict holds the schedule too. Of its numbers, these serve training and DDPM
// alone.
void CheckSchedule(Reference* reference) {
  CompareSchedule(reference, "param/");
  for (const char* name : {"log_one_minus_alphas_cumprod", "posterior_log_variance_clipped",
                           "posterior_mean_coef1", "posterior_mean_coef2", "posterior_variance",
                           "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod"})
    reference->IsNoOutput(std::string("param/") + name);
}

}  // namespace

void CheckEndToEnd(Reference* reference) {
  CheckSchedule(reference);
  mftfg::Model model(ReadModelSizes(*reference));
  reference->Load(*model, "");
  model->eval();
  Run run(reference, &model);
  run.EncodeFace(/*still=*/false);
  run.CompareFace();
  run.CompareFeatures();
  const Tensor latents = run.Sample();
  run.CompareSteps();
  run.ComparePictures(latents);
  std::printf("# as a stream\n");
  run.ComparePictures(run.Stream());
  run.EncodeFace(/*still=*/true);
  run.CompareStill(run.Sample());
}

}  // namespace talkface::parity
