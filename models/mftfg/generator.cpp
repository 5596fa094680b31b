// SPDX-License-Identifier: MIT
#include "models/mftfg/generator.h"

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

// The window fused with the face, and of it the drawn frame's token: [1, 1, K].
Tensor ContextOf(Model& model, const FaceRequest& request) {
  const EnrolledIdentity& identity = request.scene->identity();
  FusionInput input;
  input.audio = request.heard->audio;                           // [1, T, A]
  input.audio_face = identity.latents.audio_face.unsqueeze(0);  // [1, 1, Z, L, L]
  input.landmarks = identity.landmarks;                         // [1, 1, 64]
  input.units = request.heard->units;                           // [1, T, 320]
  input.valid = request.heard->valid;                           // [1, T] or none
  return model->fusion(input).narrow(0, request.heard->place, 1);
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

FaceBatch BatchOf(Model model, const Requests& requests) {
  return {Together(requests, [&](const auto& r) { return ContextOf(model, r); }),
          LatentsOf(requests)};
}

Tensor GenerateFaces(Model model, const Requests& requests, const std::function<bool()>& stop) {
  const auto go_on = [&stop] {
    if (stop()) throw Error(Code::kCancelled, "Nobody wants these frames any more.");
  };
  const auto count = static_cast<int64_t>(requests.size());
  SampleOptions options;
  options.sampler = Sampler::kFast;
  options.steps = requests.front().scene->steps();
  options.batch = count;
  options.noise.start = [&](int64_t, int64_t) {
    return Together(requests, [](const auto& r) { return r.scene->start(); });
  };
  options.noise.renoise = [&](int64_t step, int64_t, int64_t) {
    return Together(requests, [step](const auto& r) { return r.scene->renoise(step); });
  };
  options.done = [&](int64_t, const Tensor&, const Tensor&) { go_on(); };
  go_on();
  const FaceBatch batch = BatchOf(model, requests);
  const Tensor latents = model->Sample(batch.context, batch.faces, options);
  return model->Decode(latents, count);
}

}  // namespace talkface::mftfg
