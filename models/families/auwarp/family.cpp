// SPDX-License-Identifier: MIT
#include "models/families/auwarp/family.h"

#include <string>

#include "models/families/auwarp/controls.h"
#include "models/families/auwarp/mouth/warped_mouth.h"
#include "models/families/auwarp/speech/speech_net.h"
#include "models/families/auwarp/speech/speech_stream.h"
#include "models/portrait/face_enrolment.h"
#include "models/portrait/portrait_scene.h"
#include "models/vision/open_once.h"

namespace talkface::auwarp {
namespace {

constexpr uint32_t kSampleRate = 16000;
constexpr ActionUnit kPostedUnits[] = {{10, "upper lip raiser"}, {14, "dimpler"},
                                       {18, "lip pucker"},       {20, "lip stretcher"},
                                       {25, "lips part"},        {26, "jaw drop"}};
static_assert(std::size(kPostedUnits) == kUnitNumbers.size());

void CheckSettings(const FamilyContext& context) {
  if (context.precision != Precision::kAuto && context.precision != Precision::kFloat32) {
    throw Error(Code::kUnsupported, "The model '" + context.pack.name() +
                                        "' computes in float32 only: set precision to float32 or "
                                        "auto.");
  }
  const PackTiming& timing = context.pack.timing();
  if (timing.sample_rate_hz != kSampleRate) {
    throw Error(Code::kBadPack, context.pack.folder() +
                                    "/manifest.json: timing.sample_rate_hz is " +
                                    std::to_string(timing.sample_rate_hz) + ", wanted 16000.");
  }
}

class AuwarpFamily : public Family {
 public:
  explicit AuwarpFamily(const FamilyContext& context)
      : Family(context), finder_(context.search_path) {
    CheckSettings(context);
    context.progress(10, "loading the speech net");
    net_ = SpeechNet::Load(context.pack.Tensors("speech"));
    info.units = kPostedUnits;
    info.unit_count = static_cast<uint32_t>(std::size(kPostedUnits));
  }

  void FindFace(const Pixels& picture, const FaceInfo* previous, FaceInfo* out) override {
    finder_.Get()->FindFrame(picture, previous, out);
  }

  std::shared_ptr<const FaceModel> Enrol(const Pixels& portrait) override {
    FaceInfo found{};
    finder_.Get()->FindPortrait(portrait, &found);
    return portrait::EnrolWithLandmarks(portrait, found);
  }

  std::unique_ptr<SpeechModel> OpenSpeech() override {
    std::unique_ptr<SpeechModel> stream = OpenSpeechStream(net_);
    stream->SetLookAhead(info.look_ahead_default_ns);
    return stream;
  }

  std::shared_ptr<const SceneModel> Prepare(std::shared_ptr<const FaceModel> face,
                                            const SceneSettings& settings) override {
    return std::make_shared<portrait::PortraitScene>(
        std::static_pointer_cast<const portrait::EnrolledFace>(face), settings, &MakeWarpedMouth);
  }

  void Render(const std::vector<RenderItem>& items) override {
    for (const RenderItem& item : items) {
      const auto& controls = static_cast<const AuwarpControls&>(*item.controls);
      const auto& scene = static_cast<const portrait::PortraitScene&>(*item.scene);
      const WarpedMotion mouth =
          MotionOf(controls.expression, static_cast<float>(item.expression_gain), scene.geometry());
      scene.Render({&mouth, controls.emphasis, item.time_ns}, item.target);
    }
  }

  uint64_t MemoryUse() const override { return net_->bytes() + finder_.MemoryUse(); }

 private:
  vision::OpenOnce finder_;
  std::shared_ptr<const SpeechNet> net_;
};

}  // namespace

std::string ResolveDevice(const Pack& pack, const std::string& device) {
  if (device == "auto" || device == "cpu") return "cpu";
  throw Error(Code::kUnsupported, "The model '" + pack.name() + "' runs on the CPU only, not on '" +
                                      device + "': set device to cpu or auto.");
}

std::unique_ptr<Family> OpenFamily(const FamilyContext& context) {
  return std::make_unique<AuwarpFamily>(context);
}

}  // namespace talkface::auwarp
