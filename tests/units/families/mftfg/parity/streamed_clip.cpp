// SPDX-License-Identifier: MIT
#include "tests/units/families/mftfg/parity/streamed_clip.h"

#include <algorithm>
#include <memory>

#include "models/core/error.h"
#include "models/families/mftfg/face/landmarks_68.h"
#include "models/families/mftfg/generator.h"
#include "tests/units/support/drawn_face.h"

namespace talkface::parity {
namespace {

using mftfg::EnrolledIdentity;
using mftfg::HeardWindow;
using torch::Tensor;

constexpr uint64_t kFirstFrameNs = 160'000'000;  // the official code drops four frames
constexpr size_t kPiece = 441;                   // samples

using Windows = std::vector<std::shared_ptr<const HeardWindow>>;

// What each frame hears. The official window begins with the clip's first frame and ends with its
// last, whichever of them is drawn: a look-ahead of its own for each.
Windows Hear(mftfg::Model model, const Clip& clip) {
  const auto frames = static_cast<uint64_t>(model->config().window_frames);
  const auto stream = mftfg::OpenSpeechStream(model, torch::kCPU);
  Windows heard;
  const auto take = [&] {
    for (uint64_t n = heard.size(); n < frames; n = heard.size()) {
      const uint64_t time_ns = kFirstFrameNs + n * mftfg::kFrameStepNs;
      stream->SetLookAhead(mftfg::kHearingNs + (frames - 1 - n) * mftfg::kFrameStepNs);
      if (!stream->Ready(time_ns)) return;
      heard.push_back(
          std::static_pointer_cast<const mftfg::SpeechControls>(stream->Take(time_ns))->heard);
    }
  };
  for (size_t i = 0; i < clip.speech.size(); i += kPiece) {
    stream->Push(&clip.speech[i], std::min(kPiece, clip.speech.size() - i));
    take();
  }
  if (heard.size() < frames) throw Error(Code::kFailed, "The clip's speech is too short.");
  return heard;
}

// Any enrolled portrait.
std::shared_ptr<const EnrolledIdentity> Somebody(mftfg::Model model) {
  const testing::DrawnFace face{96, 96, 48, 56, 50};
  const std::vector<uint8_t> rgba = face.Draw();
  return mftfg::EnrolIdentity(model, mftfg::MeanShape(), testing::PixelsOf(face, rgba),
                              face.Info());
}

// Row `frame` of what there is for each frame.
Tensor RowOf(const Tensor& rows, int64_t frame) {
  return rows.size(0) == 1 ? rows : rows.narrow(0, frame, 1);
}

}  // namespace

Tensor StreamedLatents(mftfg::Model model, const Clip& clip) {
  const Windows heard = Hear(model, clip);
  const auto somebody = Somebody(model);
  const Tensor landmarks = model->landmarks(clip.landmarks.unsqueeze(0));  // [1, T, 64]
  SceneSettings scene_options;
  scene_options.target = {32,  32, PixelFormat::kRGBA, ColorMatrix::kBt709, ChromaSite::kCentered,
                          true};
  std::vector<Tensor> latents;
  for (int64_t n = 0; n < static_cast<int64_t>(heard.size()); ++n) {
    // The official code has a face for each frame, where a stream has one for all.
    const auto identity = std::make_shared<EnrolledIdentity>(*somebody);
    identity->landmarks = landmarks;
    identity->latents.audio_face = clip.face.audio_face;
    identity->latents.identity_face = RowOf(clip.face.identity_face, n);
    identity->latents.frames = RowOf(clip.face.frames, n);
    identity->latents.masked = RowOf(clip.face.masked, n);
    identity->latents.keep = RowOf(clip.face.keep, n);
    const mftfg::FaceScene scene(identity, scene_options, model->config());
    const auto batch = mftfg::BatchOf(model, {{&scene, heard[static_cast<size_t>(n)].get()}});
    mftfg::SampleOptions options;
    options.sampler = mftfg::Sampler::kDdim;
    options.steps = clip.renoise.size(0);
    options.noise.start = [&](int64_t, int64_t) { return RowOf(clip.start, n); };
    options.noise.renoise = [&](int64_t step, int64_t, int64_t) {
      return RowOf(clip.renoise[step], n);
    };
    latents.push_back(model->Sample(batch.context, batch.faces, options));
  }
  return torch::cat(latents);
}

}  // namespace talkface::parity
