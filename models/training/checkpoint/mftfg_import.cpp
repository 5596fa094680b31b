// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/mftfg_import.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ostream>
#include <set>
#include <sstream>

#include "models/core/error.h"
#include "models/training/checkpoint/mftfg_parts.h"
#include "models/training/checkpoint/mftfg_sizes.h"
#include "models/training/checkpoint/starts_with.h"

namespace talkface::checkpoint {
namespace {

constexpr const char* kAveraged = "model_ema.";
constexpr size_t kMaxListed = 20;

// Buffers that the official code computes from its noise schedule.
constexpr const char* kSchedule[] = {"betas",
                                     "alphas_cumprod",
                                     "alphas_cumprod_prev",
                                     "sqrt_alphas_cumprod",
                                     "sqrt_one_minus_alphas_cumprod",
                                     "log_one_minus_alphas_cumprod",
                                     "sqrt_recip_alphas_cumprod",
                                     "sqrt_recipm1_alphas_cumprod",
                                     "posterior_variance",
                                     "posterior_log_variance_clipped",
                                     "posterior_mean_coef1",
                                     "posterior_mean_coef2"};
// Where a tensor that we do not know means a model that we do not know.
constexpr const char* kOurModules[] = {"model.",
                                       "first_stage_model.encoder.",
                                       "first_stage_model.decoder.",
                                       "first_stage_model.quantize.",
                                       "first_stage_model.quant_conv.",
                                       "first_stage_model.post_quant_conv.",
                                       "cond_stage_model",
                                       "audio2AU",
                                       "mask_model.",
                                       "scale_factor"};

bool IsOfOurModules(const std::string& name) {
  return std::any_of(std::begin(kOurModules), std::end(kOurModules),
                     [&](const char* module) { return StartsWith(name, module); });
}

std::string ShapeName(const Shape& shape) {
  std::string text;
  for (int64_t size : shape) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text.empty() ? "scalar" : text;
}

// EMA names are those of the parameters below "model." without any dot.
std::string AveragedName(const std::string& name) {
  std::string rest = name.substr(std::strlen("model."));
  rest.erase(std::remove(rest.begin(), rest.end(), '.'), rest.end());
  return kAveraged + rest;
}

bool IsFloat(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16 ||
         dtype == DType::kF64;
}

TensorSource SourceOf(const FoundTensor& found) {
  TensorSource source{found.tensor->dtype, found.tensor->shape, nullptr};
  source.produce = [found](std::ostream& out) {
    found.file->CheckData(*found.tensor);
    found.tensor->WriteTo(out);
  };
  return source;
}

// The weights of a layer that no checkpoint holds: uniform within 1/sqrt(inputs), as
// torch.nn.Linear starts, drawn by splitmix64 (Steele et al. 2014) from the layer's name, so that
// every import gives the same.
TensorSource InitialWeights(const std::string& name, const Shape& shape) {
  TensorSource source{DType::kF32, shape, nullptr};
  source.produce = [name, shape](std::ostream& out) {
    uint64_t state = 0xcbf29ce484222325;  // FNV-1a of the name
    for (unsigned char c : name) state = (state ^ c) * 0x100000001b3;
    const double bound = 1 / std::sqrt(static_cast<double>(shape[1]));
    std::vector<float> row(static_cast<size_t>(shape[1]));
    for (int64_t r = 0; r < shape[0]; ++r) {
      for (float& weight : row) {
        uint64_t z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        z ^= z >> 31;
        weight = static_cast<float>((static_cast<double>(z >> 11) * 0x1p-52 - 1) * bound);
      }
      out.write(reinterpret_cast<const char*>(row.data()),
                static_cast<std::streamsize>(row.size() * sizeof(float)));
    }
  };
  return source;
}

class Import {
 public:
  Import(FoundTensors found, bool raw_weights) : found_(std::move(found)) {
    const auto first = found_.tensors.lower_bound(kAveraged);
    result_.averaged =
        !raw_weights && first != found_.tensors.end() && StartsWith(first->first, kAveraged);
  }

  MftfgTensors Run() {
    CheckParts();
    CheckSchedule();
    Shapes shapes;
    for (const auto& [name, found] : found_.tensors) shapes[name] = found.tensor->shape;
    result_.sizes = InferSizes(shapes);
    Match(LatentDiffusionShapes(result_.sizes), "", &result_.model);
    MatchAttention();
    for (int unit : kAudio2Aus)
      Match(Audio2AuShapes(result_.sizes), Audio2AuPrefix(unit), &result_.audio2au);
    Match(MaskGeneratorShapes(result_.sizes), kMaskPrefix, &result_.mask);
    SortOutRest();
    Refuse();
    return std::move(result_);
  }

 private:
  // Names whole parts that are missing rather than each of their tensors.
  void CheckParts() const {
    const auto has = [&](const std::string& prefix) {
      const auto first = found_.tensors.lower_bound(prefix);
      return first != found_.tensors.end() && StartsWith(first->first, prefix);
    };
    std::string missing;
    if (!has("model.diffusion_model.")) missing += "\n  the latent diffusion model";
    for (int unit : kAudio2Aus) {
      if (!has(Audio2AuPrefix(unit))) missing += "\n  Audio2AU of AU" + std::to_string(unit);
    }
    if (!has(kMaskPrefix)) missing += "\n  the mask generator (a file with unet_state_dict2)";
    if (!missing.empty())
      throw Error(Code::kInvalid, "The files make no whole model; give these as well:" + missing);
  }

  // The engine knows the official noise schedule only (docs/mftfg.md).
  void CheckSchedule() const {
    const auto found = found_.tensors.find("betas");
    if (found == found_.tensors.end()) return;
    constexpr int64_t kSteps = 1000;
    const StoredTensor& betas = *found->second.tensor;
    bool same = betas.shape == Shape{kSteps} && betas.dtype == DType::kF32 && betas.contiguous;
    if (same) found->second.file->CheckData(betas);
    for (int64_t i = 0; same && i < kSteps; ++i) {
      const double first = std::sqrt(.0015), last = std::sqrt(.0195);
      const double root = first + (last - first) * static_cast<double>(i) / (kSteps - 1);
      float beta = 0;
      std::memcpy(&beta, betas.data + static_cast<size_t>(i) * sizeof beta, sizeof beta);
      same = std::abs(beta - root * root) < 1e-6;
    }
    if (!same)
      throw Error(Code::kBadPack, found->second.file->path() +
                                      ": betas are not those of the official noise schedule (1000 "
                                      "steps, .0015 to .0195): this model cannot be run.");
  }

  void Match(const Shapes& wanted, const std::string& prefix,
             std::map<std::string, TensorSource>* to) {
    for (const auto& [name, shape] : wanted) {
      const std::string full = prefix + name;
      used_.insert(full);
      const bool averaged = result_.averaged && StartsWith(full, "model.");
      const std::string source = averaged ? AveragedName(full) : full;
      const auto found = found_.tensors.find(source);
      if (found == found_.tensors.end()) {
        const auto other = found_.others.find(source);
        missing_.push_back(source +
                           (other == found_.others.end() ? "" : " (it is " + other->second + ")"));
        continue;
      }
      const StoredTensor& tensor = *found->second.tensor;
      const bool counter = shape.empty();
      if (tensor.shape != shape) {
        wrong_.push_back(source + ": " + ShapeName(tensor.shape) + ", wanted " + ShapeName(shape));
      } else if (IsFloat(tensor.dtype) == counter) {
        wrong_.push_back(source + ": of type " + DTypeName(tensor.dtype));
      } else {
        (*to)[full] = SourceOf(found->second);
      }
    }
  }

  // All keys and values, or none: then they start at random. Those of an exported pack may still be
  // as they started.
  void MatchAttention() {
    const Shapes wanted = AttentionShapes(result_.sizes);
    const bool there = std::any_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
      return found_.tensors.count(entry.first) != 0;
    });
    if (there) {
      Match(wanted, "", &result_.model);
      result_.trained = !IsInitial(wanted);
    } else {
      for (const auto& [name, shape] : wanted) result_.model[name] = InitialWeights(name, shape);
    }
  }

  bool IsInitial(const Shapes& wanted) const {
    for (const auto& [name, shape] : wanted) {
      const auto found = result_.model.find(name);
      if (name.find("attn2.to_v") == std::string::npos || found == result_.model.end()) continue;
      std::ostringstream is, initial;
      found->second.WriteTo(is);
      InitialWeights(name, shape).WriteTo(initial);
      if (is.str() != initial.str()) return false;
    }
    return true;
  }

  void SortOutRest() {
    for (const auto& [name, found] : found_.tensors) {
      const bool schedule =
          std::find(std::begin(kSchedule), std::end(kSchedule), name) != std::end(kSchedule);
      if (used_.count(name) != 0 || schedule || StartsWith(name, kAveraged)) continue;
      (IsOfOurModules(name) ? unknown_ : result_.left_out).push_back(name);
    }
  }

  void Refuse() const {
    std::string text;
    const auto list = [&text](const char* title, const std::vector<std::string>& lines) {
      if (lines.empty()) return;
      text += "\n" + std::to_string(lines.size()) + " " + title + ":";
      for (size_t i = 0; i < std::min(lines.size(), kMaxListed); ++i) text += "\n  " + lines[i];
      if (lines.size() > kMaxListed) text += "\n  ...";
    };
    list("missing", missing_);
    list("of another shape or type", wrong_);
    list("unknown", unknown_);
    if (!text.empty())
      throw Error(Code::kBadPack, "The files do not make a model of the official wiring." + text);
  }

  FoundTensors found_;
  MftfgTensors result_;
  std::set<std::string> used_;
  std::vector<std::string> missing_, wrong_, unknown_;
};

}  // namespace

uint64_t MftfgTensors::bytes() const {
  uint64_t total = 0;
  for (const auto* part : {&model, &audio2au, &mask}) {
    for (const auto& [name, tensor] : *part) total += tensor.bytes();
  }
  return total;
}

MftfgTensors ReadMftfg(const MftfgFiles& files) {
  return Import(ReadParts(files.files, files.audio2au), files.raw_weights).Run();
}

}  // namespace talkface::checkpoint
