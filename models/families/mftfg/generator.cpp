// SPDX-License-Identifier: MIT
#include "models/families/mftfg/generator.h"

#include <algorithm>

#include "models/core/error.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;
using Requests = std::vector<FaceRequest>;

// One tensor of every request, side by side.
template <typename Part>
Tensor Together(const Requests& requests, Part part) {
  std::vector<Tensor> parts;
  for (const FaceRequest& request : requests) parts.push_back(part(request));
  return torch::cat(parts);
}

// Which frames of the windows are there, [B, T]; none where all of all windows are.
Tensor ValidOf(const Requests& requests) {
  if (std::none_of(requests.begin(), requests.end(),
                   [](const FaceRequest& r) { return r.heard->valid.defined(); }))
    return {};
  return Together(requests, [](const FaceRequest& r) {
    const Tensor& audio = r.heard->audio;
    return r.heard->valid.defined()
               ? r.heard->valid
               : torch::ones({1, audio.size(1)}, audio.options().dtype(at::kBool));
  });
}

FusionInput FusedOf(const Requests& requests) {
  FusionInput input;
  input.audio = Together(requests, [](const auto& r) { return r.heard->audio; });  // [B, T, A]
  input.audio_face = Together(requests, [](const auto& r) {
    return r.scene->identity().latents.audio_face.unsqueeze(0);
  });  // [B, 1, Z, L, L]
  input.landmarks = Together(
      requests, [](const auto& r) { return r.scene->identity().landmarks; });      // [B, 1, 64]
  input.units = Together(requests, [](const auto& r) { return r.heard->units; });  // [B, T, 320]
  input.valid = ValidOf(requests);
  return input;
}

// The windows fused with their faces, and of each the drawn frame's token: [B, 1, K].
Tensor ContextOf(const Requests& requests, const std::function<Tensor(const FusionInput&)>& fuse) {
  const FusionInput input = FusedOf(requests);
  const Tensor tokens = fuse(input);  // [B x T, 1, K]
  std::vector<Tensor> drawn;
  for (size_t i = 0; i < requests.size(); ++i) {
    const int64_t first = static_cast<int64_t>(i) * input.audio.size(1);
    drawn.push_back(tokens.narrow(0, first + requests[i].heard->place, 1));
  }
  return torch::cat(drawn);
}

// The same with each window by itself: equal to the bit whatever the others are.
Tensor PlainContextOf(Model& model, const Requests& requests) {
  const auto fuse = [&model](const FusionInput& input) { return model->fusion(input); };
  return Together(requests, [&](const FaceRequest& r) { return ContextOf({r}, fuse); });
}

FaceLatents LatentsOf(const Requests& requests) {
  const auto part = [&](Tensor FaceLatents::*field) {
    return Together(requests, [field](const FaceRequest& request) {
      return request.scene->identity().latents.*field;
    });
  };
  FaceLatents faces;
  faces.identity_face = part(&FaceLatents::identity_face);
  faces.frames = part(&FaceLatents::frames);
  faces.masked = part(&FaceLatents::masked);
  faces.keep = part(&FaceLatents::keep);
  return faces;
}

}  // namespace

Requests RequestsOf(const std::vector<const RenderItem*>& items) {
  Requests requests;
  for (const RenderItem* item : items) {
    requests.push_back({static_cast<const FaceScene*>(item->scene.get()),
                        static_cast<const SpeechControls&>(*item->controls).heard.get()});
  }
  return requests;
}

bool AllCancelled(const std::vector<const RenderItem*>& items) {
  return std::all_of(items.begin(), items.end(),
                     [](const RenderItem* item) { return item->IsCancelled(); });
}

FaceBatch BatchOf(Model model, const Requests& requests, const NetworkCalls& calls) {
  return {calls.fuse ? ContextOf(requests, calls.fuse) : PlainContextOf(model, requests),
          LatentsOf(requests)};
}

Tensor SampleFaces(Model model, const Requests& requests, const NetworkCalls& calls,
                   const std::function<bool()>& stop) {
  const auto go_on = [&stop] {
    if (stop()) throw Error(Code::kCancelled, "Nobody wants these frames any more.");
  };
  SampleOptions options;
  options.sampler = Sampler::kFast;
  options.steps = requests.front().scene->steps();
  options.batch = static_cast<int64_t>(requests.size());
  options.noise.start = [&](int64_t, int64_t) {
    return Together(requests, [](const auto& r) { return r.scene->start(); });
  };
  options.noise.renoise = [&](int64_t step, int64_t, int64_t) {
    return Together(requests, [step](const auto& r) { return r.scene->renoise(step); });
  };
  options.done = [&](int64_t, const Tensor&, const Tensor&) { go_on(); };
  options.denoiser = calls.denoiser;
  go_on();
  const FaceBatch batch = BatchOf(model, requests, calls);
  return model->Sample(batch.context, batch.faces, options);
}

Tensor GenerateFaces(Model model, const Requests& requests, const std::function<bool()>& stop) {
  const Tensor latents = SampleFaces(model, requests, {}, stop);
  return model->Decode(latents, latents.size(0));
}

}  // namespace talkface::mftfg
