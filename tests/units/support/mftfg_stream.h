// SPDX-License-Identifier: MIT
// A portrait and speech for a model, without pack and face finder, on any device.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <random>
#include <vector>

#include "models/families/mftfg/face/face_scene.h"
#include "models/families/mftfg/face/landmarks_68.h"
#include "models/families/mftfg/speech/speech_stream.h"
#include "models/imaging/frame_format.h"
#include "tests/units/support/drawn_face.h"

namespace talkface::mftfg {

inline std::vector<float> NoisySpeech(size_t samples, unsigned seed = 3) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> speech(samples);
  for (float& sample : speech) sample = normal(random);
  return speech;
}

inline SceneSettings SceneOf(uint32_t width, uint32_t height, PixelFormat format,
                             ChromaSite site = ChromaSite::kCentered) {
  SceneSettings options;
  options.target = {width, height, format, ColorMatrix::kBt709, site, /*full_range=*/false};
  return options;
}

class PortraitAndSpeech {
 public:
  // `model` is prepared for inference on `device`.
  PortraitAndSpeech(Model model, torch::Device device,
                    const testing::DrawnFace& face = {96, 96, 48, 56, 50})
      : model_(std::move(model)), device_(device) {
    const std::vector<uint8_t> rgba = face.Draw();
    identity_ = EnrolIdentity(model_, MeanShape(), testing::PixelsOf(face, rgba), face.Info());
  }

  const std::shared_ptr<const EnrolledIdentity>& identity() const { return identity_; }

  std::shared_ptr<FaceScene> Scene(const SceneSettings& options) const {
    return std::make_shared<FaceScene>(identity_, options, model_->config());
  }

  // Of frames at 25 a second from the speech's begin on.
  std::vector<std::shared_ptr<const SpeechControls>> Controls(size_t count) const {
    const auto stream = OpenSpeechStream(model_, device_);
    const std::vector<float> speech = NoisySpeech((count + 1) * 640);
    stream->Push(speech.data(), speech.size());
    stream->Drain();
    std::vector<std::shared_ptr<const SpeechControls>> frames;
    for (size_t n = 0; n < count; ++n) {
      frames.push_back(
          std::static_pointer_cast<const SpeechControls>(stream->Take(n * kFrameStepNs)));
    }
    return frames;
  }

 private:
  Model model_;
  torch::Device device_;
  std::shared_ptr<const EnrolledIdentity> identity_;
};

// Memory for a frame, its rows a little apart.
struct FrameMemory {
  explicit FrameMemory(const TargetFormat& format) {
    size_t plane = 0;
    for (const imaging::PlaneSize& size : imaging::PlanesOf(format)) {
      planes.emplace_back((size.row_bytes + 5) * size.rows, 7);
      target.planes[plane] = planes.back().data();
      target.strides[plane++] = size.row_bytes + 5;
    }
  }
  // The largest difference of two bytes.
  int Distance(const FrameMemory& other) const {
    int most = 0;
    for (size_t plane = 0; plane < planes.size(); ++plane) {
      for (size_t i = 0; i < planes[plane].size(); ++i)
        most = std::max(most, std::abs(planes[plane][i] - other.planes[plane][i]));
    }
    return most;
  }

  std::vector<std::vector<uint8_t>> planes;
  FrameTarget target{};
};

}  // namespace talkface::mftfg
