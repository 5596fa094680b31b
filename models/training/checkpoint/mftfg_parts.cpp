// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/mftfg_parts.h"

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

#include "models/core/error.h"
#include "models/training/checkpoint/mftfg_import.h"
#include "models/training/checkpoint/mftfg_keys.h"
#include "models/training/checkpoint/starts_with.h"

namespace talkface::checkpoint {
namespace {

// Keys of dicts that the official code saves its state dicts under.
constexpr const char* kLightningKey = "state_dict";
constexpr const char* kMaskKey = "unet_state_dict2";
constexpr const char* kParallelPrefix = "module.";  // of torch.nn.DataParallel

// Takes "module." away if every tensor has it.
void StripParallel(StateDict* state) {
  for (const auto& [name, tensor] : state->tensors) {
    if (!StartsWith(name, kParallelPrefix)) return;
  }
  std::map<std::string, const StoredTensor*> stripped;
  const size_t size = std::string(kParallelPrefix).size();
  for (const auto& [name, tensor] : state->tensors) stripped[name.substr(size)] = tensor;
  state->tensors = std::move(stripped);
}

class Parts {
 public:
  // `unit`: of an Audio2AU file; 0: its name tells it.
  void Add(const std::string& path, int unit) {
    const auto file = Checkpoint::Open(path);
    std::string key = file->HasDict(kLightningKey) ? kLightningKey : "";
    if (file->HasDict(kMaskKey)) key = kMaskKey;
    StateDict state = file->Tensors(key);
    if (state.tensors.empty()) {
      std::string what;
      for (const auto& [name, is] : state.others)
        what = what.empty() ? ", but for example " + name + ": " + is : what;
      throw Error(Code::kBadPack, path + ": its dict holds no tensors" + what + ".");
    }
    StripParallel(&state);
    const std::string prefix = PrefixOf(path, state, unit);
    for (const auto& [name, tensor] : state.tensors) AddTensor(prefix + name, {file, tensor});
    for (const auto& [name, is] : state.others) found_.others[prefix + name] = is;
  }
  FoundTensors Take() { return std::move(found_); }

 private:
  static std::string PrefixOf(const std::string& path, const StateDict& state, int unit) {
    const auto has = [&](const char* name) { return state.tensors.count(name) != 0; };
    const bool audio2au = has("rnn.rnn.weight_ih_l0") && has("block1.conv1.weight");
    if (unit != 0 && !audio2au)
      throw Error(Code::kInvalid, path + ": given for AU" + std::to_string(unit) +
                                      ", but it is no Audio2AU checkpoint.");
    if (audio2au) return Audio2AuPrefix(unit != 0 ? unit : UnitOfFileName(path));
    if (has("attetion_reg.0.weight")) return kMaskPrefix;
    const auto first = state.tensors.lower_bound("model.diffusion_model.");
    if (first != state.tensors.end() && StartsWith(first->first, "model.diffusion_model."))
      return "";
    throw Error(Code::kBadPack,
                path + ": none of the model's parts: its tensors are named like " +
                    state.tensors.begin()->first +
                    ". Wanted the latent diffusion model (model.diffusion_model...), an Audio2AU "
                    "(rnn.rnn...) or the mask generator (attetion_reg...).");
  }

  void AddTensor(const std::string& name, const FoundTensor& tensor) {
    const std::string first = CanonicalName(name);
    const auto [place, added] = found_.tensors.emplace(first, tensor);
    if (added || place->second.file == tensor.file) return;
    throw Error(Code::kInvalid, "Both " + place->second.file->path() + " and " +
                                    tensor.file->path() + " hold " + first +
                                    ": give each part once.");
  }

  FoundTensors found_;
};

}  // namespace

int UnitOfFileName(const std::string& path) {
  const std::string file = std::filesystem::path(path).filename().string();
  static const std::regex pattern("au[_-]?([0-9]+)", std::regex::icase);
  std::set<int> units;
  for (std::sregex_iterator match(file.begin(), file.end(), pattern), end; match != end; ++match) {
    for (int unit : kAudio2Aus) {
      if ((*match)[1].str() == std::to_string(unit)) units.insert(unit);
    }
  }
  if (units.size() == 1) return *units.begin();
  throw Error(Code::kInvalid, path + ": an Audio2AU checkpoint, but its name tells " +
                                  (units.empty() ? "none" : "more than one") +
                                  " of AU10, AU14, AU20, AU25 and AU26; say it with --audio2au "
                                  "AU10=" +
                                  path + " (or whichever it is).");
}

FoundTensors ReadParts(const std::vector<std::string>& files,
                       const std::map<int, std::string>& audio2au) {
  Parts parts;
  for (const std::string& path : files) parts.Add(path, 0);
  for (const auto& [unit, path] : audio2au) parts.Add(path, unit);
  return parts.Take();
}

}  // namespace talkface::checkpoint
