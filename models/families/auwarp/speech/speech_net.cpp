// SPDX-License-Identifier: MIT
#include "models/families/auwarp/speech/speech_net.h"

#include "models/speech/log_mel.h"

namespace talkface::auwarp {

std::shared_ptr<const SpeechNet> SpeechNet::Load(std::shared_ptr<const SafeTensors> file) {
  std::shared_ptr<SpeechNet> net(new SpeechNet);
  net->file_ = file;
  const int count = SpeechMember::CountIn(*file);
  for (int member = 0; member < count; ++member)
    net->members_.emplace_back(*file, speech::EnsemblePlace{member, count});
  net->scale_ = file->Floats("scale", {kOutputs});
  net->typical_mel_ = file->Floats("typical_mel", {speech::kMelBands});
  if (speech::VoiceNet::IsIn(*file)) net->voice_ = speech::VoiceNet::Load(*file);
  return net;
}

SpeechNet::State SpeechNet::NewState() const {
  State state;
  for (const SpeechMember& member : members_) state.push_back(member.NewState());
  return state;
}

SpeechNet::Output SpeechNet::Step(const float* mel, State* state) const {
  Output mean{};
  const float share = 1.0f / static_cast<float>(members_.size());
  for (size_t m = 0; m < members_.size(); ++m) {
    const Output one = members_[m].Step(mel, &(*state)[m]);
    for (int d = 0; d < kDelays; ++d) {
      for (int o = 0; o < kOutputs; ++o) mean.motion[d][o] += share * scale_[o] * one.motion[d][o];
      for (int p = 0; p < kPhones; ++p) mean.phones[d][p] += share * one.phones[d][p];
    }
  }
  return mean;
}

}  // namespace talkface::auwarp
