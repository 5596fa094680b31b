// SPDX-License-Identifier: MIT
#include "models/core/arguments.h"

#include <string>
#include <utility>

#include "models/core/frame_planes.h"
#include "models/core/sized.h"

namespace talkface {
namespace {

constexpr double kMostGain = 4;
constexpr auto kLastMatrix = static_cast<uint32_t>(ColorMatrix::kFcc);
constexpr auto kLastSite = static_cast<uint32_t>(ChromaSite::kTopLeftCosited);
constexpr auto kLastPrecision = static_cast<uint32_t>(Precision::kFloat16);

template <typename Enum>
void CheckEnum(Enum value, uint32_t last, const char* name) {
  if (static_cast<uint32_t>(value) <= last) return;
  throw Error(Code::kInvalid, "The argument " + std::string(name) + " is " +
                                  std::to_string(static_cast<int32_t>(value)) + ", wanted 0 to " +
                                  std::to_string(last) + ".");
}

TargetFormat ReadFormat(const TargetFormat* format) {
  const TargetFormat read = ReadSized(format, "options.target");
  PlanesOf(read);  // throws for a format that there is not
  CheckEnum(read.matrix, kLastMatrix, "options.target.matrix");
  CheckEnum(read.chroma_site, kLastSite, "options.target.chroma_site");
  return read;
}

void CheckMemory(const FrameTarget& target, const EngineInfo& info) {
  const auto kind = static_cast<uint32_t>(target.memory);
  if (kind >= 32 || (info.memory_kinds & (1u << kind)) == 0) {
    const bool cuda = target.memory == MemoryKind::kCuda;
    throw Error(Code::kUnsupported,
                "The model '" + std::string(info.name) + "' does not draw into " +
                    (cuda ? "CUDA memory" : "memory of the kind " + std::to_string(kind)) +
                    ": give it a frame in the host's memory.");
  }
  if (target.memory == MemoryKind::kHost && target.fence != nullptr) {
    throw Error(Code::kInvalid,
                "The argument job.target.fence belongs to a device's memory: it must be null for "
                "the host's.");
  }
}

FrameTarget ReadTarget(const FrameTarget* target, const TargetFormat& format,
                       const EngineInfo& info) {
  const FrameTarget read = ReadSized(target, "job.target");
  CheckMemory(read, info);
  const std::vector<PlaneSize> planes = PlanesOf(format);
  for (size_t i = 0; i < planes.size(); ++i) {
    const std::string number = "[" + std::to_string(i) + "]";
    NotNull(read.planes[i], ("job.target.planes" + number).c_str());
    if (read.strides[i] >= planes[i].row_bytes) continue;
    throw Error(Code::kInvalid, "The argument job.target.strides" + number + " is " +
                                    std::to_string(read.strides[i]) + ", wanted " +
                                    std::to_string(planes[i].row_bytes) + " or more.");
  }
  return read;
}

std::shared_ptr<const BasePicture> ReadBase(const BaseFrame* base, const EngineInfo& info) {
  if (base == nullptr) return nullptr;
  if (info.base_frames == 0) {
    throw Error(Code::kUnsupported, "The model '" + std::string(info.name) +
                                        "' draws on the still portrait only: give no base frame.");
  }
  const BaseFrame read = ReadSized(base, "job.base");
  return std::make_shared<const BasePicture>(BasePicture{
      ReadPicture(read.pixels, "job.base.pixels"), ReadFaceInfo(read.face, "job.base.face")});
}

}  // namespace

EngineOptions ReadEngineOptions(const EngineOptions* options) {
  EngineOptions read = ReadSized(options, "options");
  NotNull(read.model, "options.model");
  CheckEnum(read.precision, kLastPrecision, "options.precision");
  if (read.search_path == nullptr) read.search_path = "";
  if (read.device == nullptr) read.device = "auto";
  return read;
}

Pixels ReadPicture(const Pixels* picture, const char* name) {
  const Pixels read = ReadSized(picture, name);
  NotNull(read.data, (std::string(name) + ".data").c_str());
  if (read.width == 0 || read.height == 0 || read.stride / 4 < read.width) {
    throw Error(Code::kInvalid, "The picture " + std::string(name) + " is " +
                                    std::to_string(read.width) + " x " +
                                    std::to_string(read.height) + " pixels with rows of " +
                                    std::to_string(read.stride) +
                                    " bytes: give at least one pixel, and 4 bytes a pixel.");
  }
  return read;
}

FaceInfo ReadFaceInfo(const FaceInfo* face, const char* name) {
  const FaceInfo read = ReadSized(face, name);
  if (read.landmark_count > kMostLandmarks) {
    throw Error(Code::kInvalid, "The argument " + std::string(name) + ".landmark_count is " +
                                    std::to_string(read.landmark_count) + ", wanted " +
                                    std::to_string(kMostLandmarks) + " or less.");
  }
  return read;
}

SceneSettings ReadScene(const SceneOptions* options, const EngineInfo& info) {
  const SceneOptions read = ReadSized(options, "options");
  SceneSettings settings;
  settings.target = ReadFormat(read.target);
  settings.add_borders = read.add_borders != 0;
  settings.idle_motion = read.idle_motion != 0;
  settings.label = read.label != 0;
  settings.seed = read.seed;
  settings.pixel_aspect = read.pixel_aspect;
  settings.family_options = Options(read.options, read.option_count, info);
  return settings;
}

RenderItem ReadItem(const Job& job, const TargetFormat& format, const EngineInfo& info) {
  if (!(job.expression_gain >= 0 && job.expression_gain <= kMostGain)) {
    throw Error(Code::kInvalid, "The argument job.expression_gain is " +
                                    std::to_string(job.expression_gain) + ", wanted 0 to 4.");
  }
  RenderItem item;
  item.time_ns = job.time_ns;
  item.expression_gain = job.expression_gain;
  item.target = ReadTarget(job.target, format, info);
  item.stream_id = job.stream_id;
  item.base = ReadBase(job.base, info);
  return item;
}

}  // namespace talkface
