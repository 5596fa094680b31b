// SPDX-License-Identifier: MIT
#include "models/families/mftfg/family.h"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <mutex>
#include <string>

#include "models/families/mftfg/device_renderer.h"
#include "models/families/mftfg/face/landmarks_68.h"
#include "models/torch/parameters.h"
#include "models/torch/threads.h"
#include "models/vision/open_once.h"

namespace talkface::mftfg {
namespace {

// On a CPU frame by frame: the last bits of a product depend on how many rows it has, and so a
// frame would on which others were at hand.
constexpr uint32_t kCpuBatch = 1, kCudaBatch = 64;
// On CUDA one batch is sampled, one drawn and one finished; more of them would be smaller ones.
constexpr uint32_t kCudaWorkers = 3;
constexpr int kCudaThreads = 4;  // that finish a batch's frames
// A U-Net of fewer parameters is run by one thread, several of them side by side.
constexpr int64_t kSmallUnet = 10'000'000;
constexpr uint64_t kNsPerMs = 1'000'000;
constexpr const char* kStepsHelp =
    "How many steps the sampler takes for a frame: a whole number from 1 to 50; more take longer.";
constexpr ActionUnit kUnits[] = {{10, "upper lip raiser"},
                                 {14, "dimpler"},
                                 {20, "lip stretcher"},
                                 {25, "lips part"},
                                 {26, "jaw drop"}};
static_assert(std::size(kUnits) == kUnitNumbers.size());

// Null on a CPU.
std::unique_ptr<nets::Accelerator> AcceleratorOf(torch::Device device, uint64_t memory_limit) {
  if (!device.is_cuda()) return nullptr;
  // TF32 would leave ten bits of float32's 23.
  at::globalContext().setAllowTF32CuDNN(false);
  return nets::OpenCudaAccelerator(device.index(), memory_limit);
}

bool CpuHasBfloat16() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

torch::Dtype PrecisionType(Precision precision, torch::Device device) {
  switch (precision) {
    case Precision::kFloat32:
      return torch::kFloat32;
    case Precision::kBfloat16:
      return torch::kBFloat16;
    case Precision::kFloat16:
      return torch::kFloat16;
    case Precision::kAuto:
      break;
  }
  return device.is_cpu() && !CpuHasBfloat16() ? torch::kFloat32 : torch::kBFloat16;
}

void CheckTiming(const Pack& pack, const Config& config) {
  const auto wanted = [&pack](const char* field, uint64_t got, const std::string& range) {
    throw Error(Code::kBadPack, pack.folder() + "/manifest.json: timing." + field + " is " +
                                    std::to_string(got) + ", wanted " + range + ".");
  };
  const PackTiming& timing = pack.timing();
  if (timing.sample_rate_hz != speech::kMfccRate)
    wanted("sample_rate_hz", timing.sample_rate_hz, std::to_string(speech::kMfccRate));
  const uint64_t low = kHearingNs / kNsPerMs;
  const uint64_t high =
      low + static_cast<uint64_t>(config.window_frames - 1) * kFrameStepNs / kNsPerMs;
  if (timing.look_ahead_min_ms < low)
    wanted("look_ahead_min_ms", timing.look_ahead_min_ms, std::to_string(low) + " or more");
  if (timing.look_ahead_max_ms > high)
    wanted("look_ahead_max_ms", timing.look_ahead_max_ms, std::to_string(high) + " or less");
}

// The pack's mean shape: tensor "mean_shape" [49 or more, 2] of its file "face"; else ours.
imaging::Landmarks MeanShapeOf(const Pack& pack) {
  const auto found = pack.files().find("face");
  if (found == pack.files().end()) return MeanShape();
  const TensorView& view = found->second->Get("mean_shape");
  if (view.shape.size() != 2 || view.shape[0] < imaging::kAlignedShapeRows || view.shape[1] != 2) {
    throw Error(Code::kBadPack, found->second->path() + ": mean_shape has another shape than [" +
                                    std::to_string(imaging::kAlignedShapeRows) + " or more, 2].");
  }
  const torch::Tensor table = nets::ToTensor(view).to(torch::kFloat64);
  imaging::Landmarks shape;
  for (int64_t i = 0; i < table.size(0); ++i)
    shape.push_back({table[i][0].item<double>(), table[i][1].item<double>()});
  return shape;
}

// Of the weights, once U-Net and first stage are of that type.
uint64_t BytesOf(Model& model, torch::Dtype type) {
  uint64_t bytes = 0;
  const auto add = [&bytes](torch::nn::Module& module, size_t element) {
    for (const torch::Tensor& parameter : module.parameters())
      bytes += static_cast<uint64_t>(parameter.numel()) * element;
  };
  for (const auto& part : model->named_children()) {
    const bool large = part.key() == "model" || part.key() == "first_stage_model";
    add(*part.value(), large ? c10::elementSize(type) : sizeof(float));
  }
  return bytes;
}

class MftfgFamily : public Family {
 public:
  explicit MftfgFamily(const FamilyContext& context)
      : Family(context),
        finder_(context.search_path),
        device_(context.device),
        memory_{context.device, context.device_memory_limit},
        accelerator_(AcceleratorOf(device_, context.device_memory_limit)),
        model_(nets::WithinMemory(memory_, [&] { return Load(context); })),
        mean_shape_(MeanShapeOf(context.pack)) {
    FillInfo();
    if (accelerator_) {
      nets::WithinMemory(memory_, [this] {
        renderer_ = std::make_unique<DeviceRenderer>(model_, device_, std::move(accelerator_));
      });
    }
  }

  void FindFace(const Pixels& picture, const FaceInfo* previous, FaceInfo* out) override {
    finder_.Get()->FindFrame(picture, previous, out);
  }

  std::shared_ptr<const FaceModel> Enrol(const Pixels& portrait) override {
    FaceInfo found{};
    finder_.Get()->FindPortrait(portrait, &found);
    nets::UseThreads(threads_);
    return nets::WithinMemory(memory_,
                              [&] { return EnrolIdentity(model_, mean_shape_, portrait, found); });
  }

  std::unique_ptr<SpeechModel> OpenSpeech() override {
    std::unique_ptr<SpeechModel> stream = OpenSpeechStream(model_, device_, memory_);
    stream->SetLookAhead(info.look_ahead_default_ns);
    return stream;
  }

  std::shared_ptr<const SceneModel> Prepare(std::shared_ptr<const FaceModel> face,
                                            const SceneSettings& settings) override {
    return nets::WithinMemory(memory_, [&] {
      return std::make_shared<FaceScene>(std::static_pointer_cast<const EnrolledIdentity>(face),
                                         settings, model_->config());
    });
  }

  void Render(const std::vector<RenderItem>& items) override {
    nets::WithinMemory(memory_, [&] { RenderAll(items); });
  }
  uint32_t MaxBatch() const override { return device_.is_cpu() ? kCpuBatch : kCudaBatch; }
  uint32_t Workers() const override { return device_.is_cpu() ? Family::Workers() : kCudaWorkers; }

  uint64_t MemoryUse() const override { return bytes_ + finder_.MemoryUse(); }

 private:
  Model Load(const FamilyContext& context);
  void FillInfo();
  void RenderAll(const std::vector<RenderItem>& items);
  void RenderGenerated(const std::vector<const RenderItem*>& items);

  std::string default_steps_;  // steps_option_'s words
  OptionInfo steps_option_{};
  vision::OpenOnce finder_;
  const torch::Device device_;
  const nets::DeviceMemory memory_;
  std::unique_ptr<nets::Accelerator> accelerator_;  // null once renderer_ has it
  uint64_t bytes_ = 0;
  int threads_ = 1;  // that one batch uses
  const Model model_;
  const imaging::Landmarks mean_shape_;
  std::mutex batch_mutex_;                    // held by the one batch that uses all cores
  std::unique_ptr<DeviceRenderer> renderer_;  // null on a CPU
};

Model MftfgFamily::Load(const FamilyContext& context) {
  const Config config = ReadConfig(context.pack);
  CheckTiming(context.pack, config);
  context.progress(10, "making the networks");
  Model model(config);
  context.progress(40, "loading the weights");
  nets::LoadParameters(*model, context.pack);
  const torch::Dtype type = PrecisionType(context.precision, device_);
  int64_t unet_size = 0;
  for (const torch::Tensor& parameter : model->unet->parameters()) unet_size += parameter.numel();
  if (unet_size >= kSmallUnet) threads_ = at::intraop_default_num_threads();
  if (device_.is_cuda()) threads_ = std::min(kCudaThreads, at::intraop_default_num_threads());
  bytes_ = BytesOf(model, type);
  context.progress(80, "laying out the weights");
  model->PrepareInference(device_, type);
  return model;
}

void MftfgFamily::FillInfo() {
  const bool has_units = !model_->config().official();
  default_steps_ = std::to_string(model_->config().sampler_steps);
  steps_option_ = {kStepsOption, default_steps_.c_str(), kStepsHelp};
  info.units = kUnits;
  info.unit_count = has_units ? static_cast<uint32_t>(std::size(kUnits)) : 0u;
  info.options = &steps_option_;
  info.option_count = 1;
  info.scales_expression = 0;
  if (!model_->config().conditioned) {
    info.warning =
        "The attention of this model was never trained (conditioning: untrained): the face it "
        "draws "
        "does not follow the speech.";
  }
}

void MftfgFamily::RenderAll(const std::vector<RenderItem>& items) {
  const torch::NoGradGuard no_gradients;
  nets::UseThreads(threads_);
  std::map<int64_t, std::vector<const RenderItem*>> generated;  // by the sampler's steps
  for (const RenderItem& item : items) {
    if (item.IsCancelled()) continue;
    const auto& scene = static_cast<const FaceScene&>(*item.scene);
    const auto& controls = static_cast<const SpeechControls&>(*item.controls);
    if (controls.heard && scene.generates()) {
      generated[scene.steps()].push_back(&item);
    } else {
      scene.Draw({}, item.time_ns, item.target);
    }
  }
  for (const auto& [steps, same] : generated) RenderGenerated(same);
}

void MftfgFamily::RenderGenerated(const std::vector<const RenderItem*>& items) {
  if (renderer_) return renderer_->Render(items);
  const std::vector<FaceRequest> requests = RequestsOf(items);
  torch::Tensor pictures;
  {
    std::unique_lock<std::mutex> lock(batch_mutex_, std::defer_lock);
    if (threads_ > 1) lock.lock();
    pictures = GenerateFaces(model_, requests, [&items] { return AllCancelled(items); });
  }
  for (size_t i = 0; i < items.size(); ++i) {
    const float shown = static_cast<const SpeechControls&>(*items[i]->controls).shown;
    requests[i].scene->Draw({pictures.narrow(0, static_cast<int64_t>(i), 1), shown},
                            items[i]->time_ns, items[i]->target);
  }
}

}  // namespace

std::string ResolveDevice(const Pack& pack, const std::string& device) {
  if (device == "auto" || device == "cpu") return "cpu";
  if (device.compare(0, 4, "cuda") == 0) {
    // libtorch's CUDA part registers itself when it is opened.
    dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
    const torch::Device asked(device);
    const int index = asked.has_index() ? asked.index() : 0;
    if (index < static_cast<int>(torch::cuda::device_count()))
      return "cuda:" + std::to_string(index);
  }
  throw Error(Code::kUnsupported, "The model '" + pack.name() + "' cannot run on '" + device +
                                      "': there is no such device here, or no libtorch for it.");
}

std::unique_ptr<Family> OpenFamily(const FamilyContext& context) {
  return std::make_unique<MftfgFamily>(context);
}

}  // namespace talkface::mftfg
