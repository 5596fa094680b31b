// SPDX-License-Identifier: MIT
#include "models/training/speech/speech_phones.h"

#include <algorithm>
#include <limits>
#include <map>

#include "models/core/error.h"
#include "models/core/safetensors.h"
#include "models/families/auwarp/speech/speech_run.h"

namespace talkface::training {
namespace {

// A one-dimensional tensor of `dtype`, copied.
template <typename T>
std::vector<T> Copy(const SafeTensors& file, const std::string& name, DType dtype) {
  const TensorView& view = file.Get(name);
  if (view.dtype != dtype || view.shape.size() != 1) {
    throw Error(Code::kInvalid, file.path() + ": " + name + " is " + DTypeName(view.dtype) +
                                    " with " + std::to_string(view.shape.size()) +
                                    " dimensions, wanted " + DTypeName(dtype) +
                                    " with one; make it again with make_training_speech.py.");
  }
  const T* from = static_cast<const T*>(view.data);
  return {from, from + view.Count()};
}

std::string Meta(const SafeTensors& file, const std::string& name) {
  const auto found = file.metadata().find(name);
  if (found == file.metadata().end())
    throw Error(Code::kInvalid, file.path() + ": metadata " + name + " is missing.");
  return found->second;
}

std::vector<int> ReadClasses(const SafeTensors& file) {
  const std::vector<int32_t> stored = Copy<int32_t>(file, "phones", DType::kI32);
  for (int32_t phone : stored)
    if (phone < -1 || phone >= auwarp::kPhones) {
      throw Error(Code::kInvalid, file.path() + ": phones holds " + std::to_string(phone) +
                                      ", wanted -1 to " + std::to_string(auwarp::kPhones - 1) +
                                      ".");
    }
  return {stored.begin(), stored.end()};
}

// A sound that rests throughout is no speech: its mouth is known, and shut.
std::vector<Target> GridOf(const std::vector<int>& phones) {
  const bool rests = std::all_of(phones.begin(), phones.end(), [](int p) { return p == 0; });
  Target target{};
  if (!rests) target.fill(std::numeric_limits<float>::quiet_NaN());
  return std::vector<Target>(phones.size() + 1, target);
}

}  // namespace

void ReadPhones(const std::string& folder, std::vector<TrainingClip>* clips) {
  std::map<std::pair<std::string, std::string>, size_t> places;
  for (size_t i = 0; i < clips->size(); ++i) places[{(*clips)[i].speaker, (*clips)[i].name}] = i;
  for (const std::string& path : ClipPaths(folder)) {
    const auto file = SafeTensors::Open(path);
    const std::string speaker = Meta(*file, "speaker"), name = Meta(*file, "clip");
    std::vector<int> phones = ReadClasses(*file);
    const auto place = places.find({speaker, name});
    if (place != places.end()) {
      phones.resize((*clips)[place->second].mel.size() / auwarp::kFramesPerStep, -1);
      (*clips)[place->second].phones = std::move(phones);
      continue;
    }
    TrainingClip clip;
    clip.speaker = speaker;
    clip.name = name;
    clip.audio = Copy<int16_t>(*file, "audio", DType::kI16);
    clip.mel = MelOf(clip.audio);
    phones.resize(clip.mel.size() / auwarp::kFramesPerStep, -1);
    clip.grid = GridOf(phones);
    clip.phones = std::move(phones);
    clips->push_back(std::move(clip));
  }
}

}  // namespace talkface::training
