// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/audio_encoder.h"

#include "models/speech/mfcc.h"
#include "models/torch/activation.h"

namespace talkface::mftfg {
namespace {

namespace nn = torch::nn;
namespace functional = torch::nn::functional;
constexpr int64_t kVector = 64;       // of one frame
constexpr int64_t kFramesBefore = 4;  // of the 8 that are attended to; 3 come after

nn::Conv1d Convolution(int64_t in, int64_t out, int64_t stride) {
  return nn::Conv1d(nn::Conv1dOptions(in, out, 3).stride(stride).padding(1));
}

// frames [B, T, ...] -> [B x T, 8, ...]: of each frame the 8 around it, zeros beyond the ends.
torch::Tensor Neighbours(const torch::Tensor& frames) {
  const torch::Tensor last = frames.movedim(1, -1);  // [B, ..., T]
  const int64_t after = AudioAttNetImpl::kSteps - 1 - kFramesBefore;
  const torch::Tensor padded =
      functional::pad(last, functional::PadFuncOptions({kFramesBefore, after}));
  torch::Tensor windows = padded.unfold(-1, AudioAttNetImpl::kSteps, 1);  // [B, ..., T, 8]
  windows = windows.movedim(-2, 1).movedim(-1, 2);                        // [B, T, 8, ...]
  return windows.flatten(0, 1);
}

}  // namespace

AudioNetImpl::AudioNetImpl()
    : encoder_conv(Convolution(speech::kMfccColumns, 32, 2), nets::EncoderActivation(),
                   Convolution(32, 32, 2), nets::EncoderActivation(), Convolution(32, 64, 2),
                   nets::EncoderActivation(), Convolution(64, 64, 2), nets::EncoderActivation()),
      encoder_fc1(nn::Linear(64, 64), nets::EncoderActivation(), nn::Linear(64, kVector)) {
  register_module("encoder_conv", encoder_conv);
  register_module("encoder_fc1", encoder_fc1);
}

torch::Tensor AudioNetImpl::forward(const torch::Tensor& mfcc) {
  torch::Tensor x = mfcc.transpose(1, 2);  // [N, 25, 12]
  x = encoder_conv->forward(x);            // [N, 64, 1]
  x = x.squeeze(-1);                       // [N, 64]
  return encoder_fc1->forward(x);          // [N, 64]
}

AudioAttNetImpl::AudioAttNetImpl(int64_t features)
    : attentionConvNet(Convolution(features, 16, 1), nets::EncoderActivation(),
                       Convolution(16, 8, 1), nets::EncoderActivation(), Convolution(8, 4, 1),
                       nets::EncoderActivation(), Convolution(4, 2, 1), nets::EncoderActivation(),
                       Convolution(2, 1, 1), nets::EncoderActivation()),
      attentionNet(nn::Linear(kSteps, kSteps)) {
  register_module("attentionConvNet", attentionConvNet);
  register_module("attentionNet", attentionNet);
}

torch::Tensor AudioAttNetImpl::Weights(const torch::Tensor& steps, const torch::Tensor& valid) {
  torch::Tensor x = steps.transpose(1, 2);  // [N, D, 8]
  x = attentionConvNet->forward(x);         // [N, 1, 8]
  x = attentionNet->forward(x);             // [N, 1, 8]
  if (valid.defined()) x = x.masked_fill(valid.logical_not().unsqueeze(1), nets::kNever);
  return torch::softmax(x, -1);  // [N, 1, 8]
}

torch::Tensor AudioAttNetImpl::forward(const torch::Tensor& steps, const torch::Tensor& valid) {
  const torch::Tensor weights = Weights(steps, valid);  // [N, 1, 8]
  return torch::matmul(weights, steps).squeeze(1);      // [N, D]
}

AudioEncoderImpl::AudioEncoderImpl(const Config& config)
    : attention(config.audio_features()), official_(config.official()) {
  register_module("cond_stage_model_for_audio", net);
  register_module("cond_stage_model_for_audio_smooth", attention);
}

torch::Tensor AudioEncoderImpl::forward(const torch::Tensor& mfcc, const torch::Tensor& valid) {
  torch::Tensor frames = net->forward(mfcc.flatten(0, 1));  // [B x T, 64]
  if (!official_) return AttendFrames(frames.unflatten(0, {mfcc.size(0), mfcc.size(1)}), valid);
  const torch::Tensor pieces = frames.unflatten(1, {AudioAttNetImpl::kSteps, -1});  // [B x T, 8, 8]
  const torch::Tensor smooth = attention->forward(pieces);                          // [B x T, 8]
  return smooth.unflatten(0, {mfcc.size(0), mfcc.size(1)});                         // [B, T, 8]
}

torch::Tensor AudioEncoderImpl::AttendFrames(const torch::Tensor& frames,
                                             const torch::Tensor& valid) {
  torch::Tensor heard = valid;
  if (!heard.defined()) heard = torch::ones({frames.size(0), frames.size(1)}, frames.device());
  heard = heard.to(frames.dtype());                                // [B, T]
  const torch::Tensor known = frames * heard.unsqueeze(-1);        // [B, T, 64]
  const torch::Tensor inside = Neighbours(heard) > 0;              // [B x T, 8]
  const torch::Tensor steps = Neighbours(known);                   // [B x T, 8, 64]
  const torch::Tensor smooth = attention->forward(steps, inside);  // [B x T, 64]
  return smooth.unflatten(0, {frames.size(0), frames.size(1)});    // [B, T, 64]
}

}  // namespace talkface::mftfg
