// SPDX-License-Identifier: MIT
// Generated faces of many streams in one batch.
#pragma once

#include <functional>
#include <vector>

#include "models/families/mftfg/face/face_scene.h"
#include "models/families/mftfg/speech/speech_stream.h"

namespace talkface::mftfg {

struct FaceRequest {
  const FaceScene* scene;
  const HeardWindow* heard;
};

// Of frames to be generated; scenes and speech stay the items'.
std::vector<FaceRequest> RequestsOf(const std::vector<const RenderItem*>& items);
bool AllCancelled(const std::vector<const RenderItem*>& items);

// How networks are run, where not by calling them as they are.
struct NetworkCalls {
  std::function<torch::Tensor(const FusionInput&)> fuse;
  MakeDenoiser denoiser;
};

// What the sampler is given for the requests, side by side.
struct FaceBatch {
  torch::Tensor context;  // [B, 1, K]: each window fused with its face, and of it the drawn frame
  FaceLatents faces;
};
FaceBatch BatchOf(Model model, const std::vector<FaceRequest>& requests,
                  const NetworkCalls& calls = {});

// The requests' faces as latents, [B, Z, L, L]. All scenes have the same number of steps. `stop` is
// asked before every step; where it says yes, Error{kCancelled} is thrown. A request's face does
// not depend on the others, up to rounding.
torch::Tensor SampleFaces(Model model, const std::vector<FaceRequest>& requests,
                          const NetworkCalls& calls, const std::function<bool()>& stop);

// The same as pictures, [B, 3, R, R] in 0..1.
torch::Tensor GenerateFaces(Model model, const std::vector<FaceRequest>& requests,
                            const std::function<bool()>& stop);

}  // namespace talkface::mftfg
