// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>

#include "models/core/arguments.h"
#include "models/core/error.h"
#include "models/core/pack.h"
#include "models/vision/detector.h"
#include "models/vision/mesh.h"
#include "models/vision/pose.h"
#include "models/vision/search.h"
#include "models/vision/vision.h"

namespace talkface::vision {
namespace {

constexpr const char* kPack = "mediapipe-face";
constexpr float kGoodScore = 0.5f;  // of the detector
constexpr float kPoorScore = 0.2f;  // with a warning
constexpr float kPresence = 0.5f;   // of the mesh net
constexpr float kMaxYawDeg = 60.0f;

constexpr float kCloseUp = 2.5f;  // region of the detector's second look, in face sizes

// How sure a face must be. A still portrait is enrolled once, and its whole picture is searched in
// small tiles, where the nets are easily fooled: a cat's cheek reached a presence of 0.64.
struct Care {
  bool close_up;
  float presence;  // of the final mesh
};
constexpr Care kStill{true, 0.8f};
constexpr Care kVideo{false, kPresence};

struct Found {
  Hit hit;
  Mesh mesh;
  uint32_t faces = 1;
};

class MediaPipeFinder : public FaceFinder {
 public:
  explicit MediaPipeFinder(const Pack& pack) : detector_(pack), mesh_(pack) {}

  void FindPortrait(const Pixels& picture, FaceInfo* out) const override {
    ReadPicture(&picture, "picture");
    std::vector<Hit> seen;
    std::optional<Found> found = Search(picture, kStill, PortraitStages(picture), &seen);
    if (!found) found = Trace(picture, kStill, MergeHits(seen, detector_.overlap()));
    if (!found) throw NoFace(seen);
    FaceInfo info = Describe(*found);
    if (std::abs(info.yaw_deg) > kMaxYawDeg) {
      throw Error(Code::kNoFace, "The face is turned " +
                                     std::to_string(std::lround(std::abs(info.yaw_deg))) +
                                     " degrees to the side: use a portrait turned less than " +
                                     std::to_string(std::lround(kMaxYawDeg)) + " degrees.");
    }
    Warn(&info);
    *out = info;
  }

  void FindFrame(const Pixels& picture, const FaceInfo* previous, FaceInfo* out) const override {
    ReadPicture(&picture, "picture");
    if (previous) {
      if (previous->landmark_count != kMeshPoints) {
        throw Error(Code::kInvalid, "The face before has " +
                                        std::to_string(previous->landmark_count) +
                                        " landmarks, wanted the " + std::to_string(kMeshPoints) +
                                        " of a face mesh.");
      }
      Found found;
      found.mesh = mesh_.Trace(picture, mesh_.RegionOf(previous->landmarks));
      found.hit.score = found.mesh.presence;
      if (found.mesh.presence >= kPresence) {
        *out = Describe(found);
        return;
      }
    }
    std::vector<Hit> seen;
    const std::optional<Found> found = Search(picture, kVideo, FrameStages(picture), &seen);
    if (!found) throw NoFace(seen);
    *out = Describe(*found);
  }

  uint64_t MemoryUse() const override { return detector_.MemoryUse() + mesh_.MemoryUse(); }

 private:
  static Error NoFace(const std::vector<Hit>& seen) {
    if (seen.empty()) {
      return Error(Code::kNoFace,
                   "The picture shows no face: use a portrait that shows one face from the front.");
    }
    return Error(
        Code::kNoFace,
        "The picture shows no face whose features can be traced: use a sharp portrait that "
        "shows one face from the front.");
  }

  // Looks at one stage after the other until one shows a good face; `seen` gathers all hits, poor
  // ones too.
  std::optional<Found> Search(const Pixels& picture, const Care& care,
                              const std::vector<Stage>& stages, std::vector<Hit>* seen) const {
    for (const Stage& stage : stages) {
      std::vector<Hit> good;
      for (const Region& region : stage) {
        for (const Hit& hit : detector_.Detect(picture, region, kPoorScore)) {
          seen->push_back(hit);
          if (hit.score >= kGoodScore) good.push_back(hit);
        }
      }
      std::optional<Found> found = Trace(picture, care, MergeHits(good, detector_.overlap()));
      if (found) return found;
    }
    return std::nullopt;
  }

  // The detector's second look at a hit, from near, if that shows it better.
  Hit LookCloser(const Pixels& picture, const Hit& hit) const {
    const Region near{hit.x + hit.width / 2, hit.y + hit.height / 2,
                      kCloseUp * std::max(hit.width, hit.height), 0};
    const std::vector<Hit> closer = detector_.Detect(picture, near, hit.score);
    return closer.empty() ? hit : closer.front();
  }

  // The largest of the hits that are faces to the mesh net too.
  std::optional<Found> Trace(const Pixels& picture, const Care& care,
                             const std::vector<Hit>& hits) const {
    std::vector<Hit> faces;
    std::vector<Mesh> meshes;
    for (const Hit& rough : hits) {
      const Hit hit = care.close_up ? LookCloser(picture, rough) : rough;
      Mesh mesh = mesh_.Trace(picture, mesh_.RegionOf(hit));
      if (mesh.presence < kPresence) continue;
      mesh = mesh_.Trace(picture, mesh_.RegionOf(mesh.landmarks));
      if (mesh.presence < care.presence) continue;
      faces.push_back(hit);
      meshes.push_back(mesh);
    }
    if (faces.empty()) return std::nullopt;
    const Choice choice = ChooseFace(faces);
    return Found{faces[choice.index], meshes[choice.index], choice.faces};
  }

  static FaceInfo Describe(const Found& found) {
    FaceInfo info{};
    info.landmark_count = kMeshPoints;
    std::memcpy(info.landmarks, found.mesh.landmarks, sizeof found.mesh.landmarks);
    const std::array<float, 4> hull = Hull(info.landmarks);
    std::copy(hull.begin(), hull.end(), info.box);
    const Pose pose = PoseOf(info.landmarks);
    info.yaw_deg = pose.yaw;
    info.pitch_deg = pose.pitch;
    info.roll_deg = pose.roll;
    info.score = found.hit.score;
    info.faces = found.faces;
    return info;
  }

  static void Warn(FaceInfo* info) {
    if (info->faces > 1) {
      std::snprintf(info->warning, sizeof info->warning,
                    "The picture shows %u faces: the largest is used.", info->faces);
    } else if (info->score < kGoodScore) {
      std::snprintf(info->warning, sizeof info->warning,
                    "The face is hard to make out (score %.2f of 1): a sharper portrait from the "
                    "front gives better results.",
                    static_cast<double>(info->score));
    }
  }

  Detector detector_;
  MeshNet mesh_;
};

}  // namespace

std::shared_ptr<const FaceFinder> OpenFaceFinder(const std::string& search_path) {
  static std::mutex mutex;  // held while a finder is opened, so that none is opened twice
  static std::map<std::string, std::weak_ptr<const FaceFinder>> open;  // by pack folder
  const std::lock_guard<std::mutex> lock(mutex);
  const std::shared_ptr<const Pack> pack = Pack::Open(kPack, search_path);
  std::shared_ptr<const FaceFinder> finder = open[pack->folder()].lock();
  if (!finder) {
    finder = std::make_shared<MediaPipeFinder>(*pack);
    open[pack->folder()] = finder;
  }
  return finder;
}

}  // namespace talkface::vision
