// SPDX-License-Identifier: MIT
#include "models/training/speech/speech_trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "models/core/error.h"
#include "models/training/speech/speech_module.h"
#include "models/training/speech/speech_score.h"

namespace talkface::training {
namespace {

using auwarp::kDelays;
using auwarp::kOutputs;
using speech::kMelBands;

constexpr int kCheckpointEvery = 50;
constexpr double kAverageDecay = 0.99;  // of the running average of weights that is kept
constexpr double kVelocityWeight = 1.0, kCorrelationWeight = 0.3;
constexpr double kGradientLimit = 1.0, kWeightDecay = 1e-2, kWarmUp = 20;
constexpr double kDropout = 0.1;
constexpr float kMaxLiveliness = 1.8f;
// What matters most in the picture counts most.
constexpr std::array<float, kOutputs> kImportance = {2, 2, .5, 1, .3, .3, .3, .3, .3, .3};
constexpr double kPhoneWeight = 1.0;
constexpr std::array<float, auwarp::kPhones> kPhoneImportance = {1, 3, 2, 1, 1, 1};

struct Batch {
  torch::Tensor mel;     // [B, 2 S, 40]
  torch::Tensor target;  // [B, S, O] at each step's end, in spreads
  torch::Tensor weight;  // [B, S]
  torch::Tensor phone;   // [B, S] kind of sound in each step, -1: not known
};

Batch MakeBatch(const SequenceMaker& maker, const SpeechTraining& options, const Target& spread,
                int iteration) {
  std::mt19937_64 random(options.seed * 1000003 + static_cast<uint64_t>(iteration));
  const int64_t steps = options.steps;
  Batch batch{torch::empty({options.batch, 2 * steps, kMelBands}),
              torch::empty({options.batch, steps, kOutputs}), torch::empty({options.batch, steps}),
              torch::empty({options.batch, steps}, torch::kInt64)};
  for (int b = 0; b < options.batch; ++b) {
    const Sequence sequence = maker.Make(options.steps, &random);
    std::copy(sequence.mel.begin(), sequence.mel.end(), batch.mel[b].data_ptr<float>());
    std::copy(sequence.weight.begin(), sequence.weight.end(), batch.weight[b].data_ptr<float>());
    std::copy(sequence.phone.begin(), sequence.phone.end(), batch.phone[b].data_ptr<int64_t>());
    float* target = batch.target[b].data_ptr<float>();
    for (const Target& from : sequence.target)
      for (int o = 0; o < kOutputs; ++o) *target++ = from[o] / spread[o];
  }
  return batch;
}

// 1 - the concordance correlation (Lin 1989) over each sequence: rewards following the curve at
// its full size, where squared errors alone reward timidity. [B, S, O] -> [O]
torch::Tensor Discordance(const torch::Tensor& made, const torch::Tensor& wanted,
                          const torch::Tensor& weight) {
  const torch::Tensor w = (weight / weight.sum(1, true).clamp_min(1e-6)).unsqueeze(2);
  const torch::Tensor mean_made = (w * made).sum(1, true), mean_wanted = (w * wanted).sum(1, true);
  const torch::Tensor a = made - mean_made, b = wanted - mean_wanted;
  const torch::Tensor shared = (w * a * b).sum(1);
  const torch::Tensor spreads = (w * a * a).sum(1) + (w * b * b).sum(1);
  const torch::Tensor apart = (mean_made - mean_wanted).square().squeeze(1);
  return (1 - 2 * shared / (spreads + apart + 1e-3)).mean(0);
}

// Mean over delays of place, speed and concordance.
torch::Tensor Loss(const torch::Tensor& made, const Batch& batch, const torch::Tensor& importance) {
  torch::Tensor loss = torch::zeros({});
  const int64_t steps = batch.target.size(1);
  for (int d = 0; d < kDelays; ++d) {
    const int64_t behind = auwarp::kDelaysMs[d] / auwarp::kStepMs;
    const torch::Tensor out = made.select(2, d).slice(1, behind, steps);
    const torch::Tensor wanted = batch.target.slice(1, 0, steps - behind);
    const torch::Tensor weight = batch.weight.slice(1, 0, steps - behind);
    const torch::Tensor error = out - wanted;
    const torch::Tensor total = weight.sum();
    const torch::Tensor place =
        (error.square() * weight.unsqueeze(2)).sum(at::IntArrayRef{0, 1}) / total;
    // Over two steps: a video frame.
    const torch::Tensor change = error.slice(1, 2) - error.slice(1, 0, error.size(1) - 2);
    const torch::Tensor both = weight.slice(1, 2) * weight.slice(1, 0, weight.size(1) - 2);
    const torch::Tensor speed =
        (change.square() * both.unsqueeze(2)).sum(at::IntArrayRef{0, 1}) / total;
    loss = loss + (importance * (place + kVelocityWeight * speed +
                                 kCorrelationWeight * Discordance(out, wanted, weight)))
                      .sum();
  }
  return loss / kDelays;
}

// Cross entropy of the kinds of sounds, over delays; rare closures count more than their share.
torch::Tensor PhoneLoss(const torch::Tensor& logits, const Batch& batch,
                        const torch::Tensor& importance) {
  torch::Tensor loss = torch::zeros({});
  const int64_t steps = batch.phone.size(1);
  for (int d = 0; d < kDelays; ++d) {
    // The step's label speaks of its middle, 10 ms before its end.
    const int64_t behind = auwarp::kDelaysMs[d] / auwarp::kStepMs;
    const torch::Tensor out = logits.select(2, d).slice(1, behind, steps).flatten(0, 1);
    const torch::Tensor wanted = batch.phone.slice(1, 0, steps - behind).flatten();
    loss =
        loss + torch::nn::functional::cross_entropy(out, wanted,
                                                    torch::nn::functional::CrossEntropyFuncOptions()
                                                        .weight(importance)
                                                        .ignore_index(-1)
                                                        .reduction(torch::kMean))
                   .nan_to_num();
  }
  return loss / kDelays;
}

void Average(SpeechModule& average, SpeechModule& module, double decay) {
  const torch::NoGradGuard no_gradients;
  auto to = average->parameters();
  const auto from = module->parameters();
  for (size_t i = 0; i < to.size(); ++i) to[i].mul_(decay).add_(from[i], 1 - decay);
  const auto to_state = average->named_buffers(), from_state = module->named_buffers();
  for (const auto& state : from_state)
    if (state.value().is_floating_point())
      to_state[state.key()].mul_(decay).add_(state.value(), 1 - decay);
}

class Checkpoint {
 public:
  Checkpoint(std::string path, SpeechModule module, SpeechModule average, torch::optim::AdamW* adam)
      : path_(std::move(path)),
        module_(std::move(module)),
        average_(std::move(average)),
        adam_(adam) {}

  void Write(int iteration) const {
    if (path_.empty()) return;
    torch::serialize::OutputArchive archive, module, average, adam;
    archive.write("iteration", torch::tensor(iteration));
    module_->save(module);
    average_->save(average);
    adam_->save(adam);
    archive.write("module", module);
    archive.write("average", average);
    archive.write("adam", adam);
    archive.save_to(path_ + ".part");
    std::filesystem::rename(path_ + ".part", path_);
  }

  bool Exists() const { return std::filesystem::exists(path_); }

  // The iteration to go on with.
  int Read() {
    torch::serialize::InputArchive archive, module, average, adam;
    try {
      archive.load_from(path_);
    } catch (const c10::Error& error) {
      throw Error(Code::kNotFound, path_ + ": is no checkpoint to resume from.",
                  error.what_without_backtrace());
    }
    torch::Tensor iteration;
    archive.read("iteration", iteration);
    archive.read("module", module);
    archive.read("average", average);
    archive.read("adam", adam);
    module_->load(module);
    average_->load(average);
    adam_->load(adam);
    return iteration.item<int>();
  }

 private:
  std::string path_;
  SpeechModule module_, average_;
  torch::optim::AdamW* adam_;
};

// The rate rises over the first iterations and falls to nothing along a cosine.
double RateAt(const SpeechTraining& options, int iteration) {
  const double warm = std::min(1.0, (iteration + 1) / kWarmUp);
  const double done = static_cast<double>(iteration) / options.iterations;
  return options.rate * warm * (0.5 + 0.5 * std::cos(3.14159265 * done));
}

class Progress {
 public:
  Progress(const SpeechTraining& options, int member, int first)
      : options_(options), member_(member), first_(first) {}

  void Print(int done, double loss) const {
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    const int left = options_.iterations * (options_.members - member_) - done;
    std::fprintf(stderr, "member %d of %d, iteration %4d of %d   loss %.4f   %.0f s left\n",
                 member_ + 1, options_.members, done, options_.iterations, loss,
                 seconds / (done - first_) * left);
  }

 private:
  const SpeechTraining& options_;
  const int member_, first_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Where the state of a member is kept; "" for nowhere.
std::string CheckpointPath(const SpeechTraining& options, int member) {
  return options.checkpoint.empty() ? "" : options.checkpoint + "-" + std::to_string(member + 1);
}

// Squared errors make a net timid: the scale makes up for it, as measured on clips that it was
// trained to follow.
std::array<float, kOutputs> Enliven(const std::vector<TrainingClip>& clips,
                                    const SpeechTraining& options, const std::string& weights,
                                    Target scale) {
  const auto net = auwarp::SpeechNet::Load(SafeTensors::Open(weights));
  const auto& out = options.held_out;
  std::vector<ClipScore> scores;
  for (const TrainingClip& clip : clips)
    if (!clip.test && !clip.times.empty() &&
        std::find(out.begin(), out.end(), clip.speaker) == out.end())
      scores.push_back(ScoreClip(net, clip));
  const MeanScore mean = Mean(scores);
  for (int o = 0; o < kOutputs; ++o)
    scale[o] *= std::clamp(1.0f / std::max(static_cast<float>(mean.liveliness[o]), 1e-3f), 1.0f,
                           kMaxLiveliness);
  return scale;
}

// The running average of the weights of one member, its options' seed its own.
SpeechModule TrainMember(const SequenceMaker& maker, const SpeechTraining& options, int member) {
  const Target spread = maker.Spread();
  torch::manual_seed(options.seed);
  const SpeechModuleOptions sizes{options.channels, options.hidden, kDropout};
  SpeechModule module(sizes), average(sizes);
  Average(average, module, 0);
  average->eval();
  torch::optim::AdamW adam(module->parameters(),
                           torch::optim::AdamWOptions(options.rate).weight_decay(kWeightDecay));
  Checkpoint checkpoint(CheckpointPath(options, member), module, average, &adam);
  // Members that training never came to have no state yet; the first must.
  const bool resume = options.resume && (member == 0 || checkpoint.Exists());
  const int first = resume ? checkpoint.Read() : 0;
  const torch::Tensor importance = torch::tensor(at::ArrayRef<float>(kImportance));
  const torch::Tensor phone_importance = torch::tensor(at::ArrayRef<float>(kPhoneImportance));
  const Progress progress(options, member, first);
  double shown_loss = 0;
  module->train();
  for (int i = first; i < options.iterations; ++i) {
    const Batch batch = MakeBatch(maker, options, spread, i);
    torch::manual_seed(options.seed * 7919 + static_cast<uint64_t>(i));
    static_cast<torch::optim::AdamWOptions&>(adam.param_groups()[0].options())
        .lr(RateAt(options, i));
    adam.zero_grad();
    const SpeechModuleImpl::Output out = module->forward(batch.mel);
    const torch::Tensor loss = Loss(out.motion, batch, importance) +
                               kPhoneWeight * PhoneLoss(out.phones, batch, phone_importance);
    loss.backward();
    torch::nn::utils::clip_grad_norm_(module->parameters(), kGradientLimit);
    adam.step();
    Average(average, module, std::min(kAverageDecay, i / (i + 10.0)));
    shown_loss = i == first ? loss.item<double>() : 0.95 * shown_loss + 0.05 * loss.item<double>();
    if ((i + 1) % kCheckpointEvery != 0 && i + 1 != options.iterations) continue;
    progress.Print(i + 1, shown_loss);
    checkpoint.Write(i + 1);
  }
  return average;
}

}  // namespace

std::shared_ptr<const auwarp::SpeechNet> TrainSpeech(const std::vector<TrainingClip>& clips,
                                                     const SpeechTraining& options,
                                                     const std::string& weights) {
  at::set_num_threads(options.threads);
  std::vector<SpeechModule> members;
  Target spread{};
  std::array<float, kMelBands> typical_mel{};
  for (int member = 0; member < options.members; ++member) {
    SpeechTraining own = options;
    own.seed += static_cast<uint64_t>(member);
    const SequenceMaker maker(clips, options.held_out, own.seed);
    spread = maker.Spread();
    typical_mel = maker.TypicalMel();
    members.push_back(TrainMember(maker, own, member));
  }
  SpeechConstants constants{typical_mel, spread, options.voice};
  WriteSpeechWeights(weights, members, constants);
  constants.scale = Enliven(clips, options, weights, spread);
  WriteSpeechWeights(weights, members, constants);
  return auwarp::SpeechNet::Load(SafeTensors::Open(weights));
}

}  // namespace talkface::training
