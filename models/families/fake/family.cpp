// SPDX-License-Identifier: MIT
#include "models/families/fake/family.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include "models/families/fake/config.h"
#include "models/families/fake/speech.h"
#include "models/imaging/frame_writer.h"
#include "models/imaging/scale.h"

namespace talkface::fake {
namespace {

constexpr uint32_t kPoints = 468;  // landmarks, as many as a face mesh has
constexpr size_t kBaseShare = 4;   // of a base frame's rows, one in as many bears the mark
constexpr ActionUnit kUnits[] = {{25, "lips part"}, {26, "jaw drop"}};

struct FakeFace : FaceModel {
  uint32_t colour =
      0;  // a sum over the portrait's bytes, so that another portrait gives other frames
};

struct FakeScene : SceneModel {
  SceneSettings settings;
  uint32_t colour = 0;
};

// The picture at its size in the frame, black round it, as PortraitScene places a portrait.
void DrawBase(const Pixels& picture, const SceneSettings& settings, const FrameTarget& out) {
  const imaging::FrameWriter writer(settings.target);
  const imaging::Placement placement = imaging::Place(
      picture.width, picture.height, settings.target, settings.add_borders, settings.pixel_aspect);
  std::vector<uint8_t> scaled = imaging::Scale(picture, placement);
  imaging::CompositeOverBlack(scaled.data(), scaled.size() / 4);
  const imaging::Rect frame = writer.Frame();
  const auto stride = 4 * static_cast<ptrdiff_t>(frame.x1);
  const std::vector<uint8_t> whole = imaging::Framed(scaled, placement.rect, frame);
  writer.Write({whole.data(), stride, frame}, frame, out);
}

// A face in the middle of the picture: an ellipse of landmarks that fills half of it.
void FindMiddleFace(const Pixels& picture, FaceInfo* out) {
  *out = FaceInfo{};
  const float width = static_cast<float>(picture.width),
              height = static_cast<float>(picture.height);
  const float box[4] = {width / 4, height / 4, width / 2, height / 2};
  std::copy(std::begin(box), std::end(box), out->box);
  out->landmark_count = kPoints;
  for (uint32_t i = 0; i < kPoints; ++i) {
    const float angle = 6.2831853f * static_cast<float>(i) / kPoints;
    out->landmarks[i][0] = width * (0.5f + 0.25f * std::cos(angle));
    out->landmarks[i][1] = height * (0.5f + 0.25f * std::sin(angle));
  }
  out->score = 1.0f;
  out->faces = 1;
}

class FakeFamily : public Family {
 public:
  explicit FakeFamily(const FamilyContext& context)
      : Family(context), config_(ReadConfig(context.pack)), timing_(context.pack.timing()) {
    if (timing_.sample_rate_hz == 0) {
      throw Error(Code::kBadPack, context.pack.folder() + "/manifest.json: timing is missing.");
    }
    if (config_.fail_open) throw Error(Code::kFailed, "The fake engine failed, as its pack asked.");
    context.progress(50, "loading nothing");
    info.units = kUnits;
    info.unit_count = config_.has_units ? 2u : 0u;
    info.scales_expression = config_.has_units ? 1u : 0u;
    info.base_frames = 1;
  }

  void FindFace(const Pixels& picture, const FaceInfo* previous, FaceInfo* out) override {
    if (config_.fail_enrol) {
      throw Error(Code::kNoFace, "The fake family sees no face, as its pack asked.");
    }
    FindMiddleFace(picture, out);
  }

  std::shared_ptr<const FaceModel> Enrol(const Pixels& portrait) override {
    auto face = std::make_shared<FakeFace>();
    FindFace(portrait, nullptr, &face->info);
    for (uint32_t y = 0; y < portrait.height; ++y) {
      const uint8_t* row = portrait.data + y * portrait.stride;
      for (size_t x = 0; x < 4 * static_cast<size_t>(portrait.width); ++x)
        face->colour = face->colour * 31 + row[x];
    }
    return face;
  }

  std::unique_ptr<SpeechModel> OpenSpeech() override { return fake::OpenSpeech(timing_, config_); }

  std::shared_ptr<const SceneModel> Prepare(std::shared_ptr<const FaceModel> face,
                                            const SceneSettings& settings) override {
    auto scene = std::make_shared<FakeScene>();
    scene->settings = settings;
    scene->colour = static_cast<const FakeFace&>(*face).colour;
    return scene;
  }

  void Render(const std::vector<RenderItem>& items) override {
    if (config_.delay_ms > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(config_.delay_ms));
    for (const RenderItem& item : items) {
      if (config_.fail_at_frame >= 0 && frames_++ >= config_.fail_at_frame) {
        throw Error(Code::kFailed, "The fake face model failed, as its pack asked.");
      }
      Fill(item);
    }
  }

  uint32_t MaxBatch() const override { return static_cast<uint32_t>(config_.max_batch); }
  uint64_t MemoryUse() const override { return 0; }

 private:
  // Every row repeats the four bytes of a hash of portrait, samples and expression gain, turned by
  // the plane's number. On a base frame only the first rows do, and the others show it.
  static void Fill(const RenderItem& item) {
    const auto& scene = static_cast<const FakeScene&>(*item.scene);
    const auto& controls = static_cast<const FakeControls&>(*item.controls);
    const uint32_t gain = static_cast<uint32_t>(std::lround(item.expression_gain * 16));
    const uint32_t hash = (scene.colour ^ controls.hash) + 16 - gain;
    const std::vector<imaging::PlaneSize> planes = imaging::PlanesOf(scene.settings.target);
    if (item.base) DrawBase(item.base->pixels, scene.settings, item.target);
    for (size_t p = 0; p < planes.size(); ++p) {
      std::vector<uint8_t> row(planes[p].row_bytes);
      for (size_t x = 0; x < row.size(); ++x)
        row[x] = static_cast<uint8_t>(hash >> (8 * ((x + p) % 4)));
      const size_t marked = planes[p].rows / (item.base ? kBaseShare : 1);
      for (size_t y = 0; y < marked; ++y) {
        std::memcpy(item.target.planes[p] + y * item.target.strides[p], row.data(), row.size());
      }
    }
  }

  const Config config_;
  const PackTiming timing_;
  std::atomic<int64_t> frames_{0};
};

}  // namespace

std::string ResolveDevice(const Pack&, const std::string& device) {
  if (device == "auto" || device == "cpu") return "cpu";
  throw Error(Code::kUnsupported, "The fake family runs on the cpu only, not on '" + device + "'.");
}

std::unique_ptr<Family> OpenFamily(const FamilyContext& context) {
  return std::make_unique<FakeFamily>(context);
}

}  // namespace talkface::fake
