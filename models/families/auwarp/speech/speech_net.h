// SPDX-License-Identifier: MIT
// The speech net: an ensemble of members of one size (speech_member.h), trained from different
// seeds, whose answers are averaged. They err in different ways, so the mean follows speech better
// than most of them do (docs/training.md).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/core/safetensors.h"
#include "models/families/auwarp/speech/speech_member.h"
#include "models/speech/voice.h"

namespace talkface::auwarp {

// Immutable weights, shared by all streams.
class SpeechNet {
 public:
  using State = std::vector<SpeechMember::State>;  // what a stream carries from step to step
  using Output = SpeechOutput;

  // Reads the tensors of a speech.safetensors; those of the voice detector ("voice.") may be
  // missing. Throws Error{kBadPack} naming file, tensor, wanted and got.
  static std::shared_ptr<const SpeechNet> Load(std::shared_ptr<const SafeTensors> file);

  State NewState() const;
  // One step: `mel` is [2 x B], normalised.
  Output Step(const float* mel, State* state) const;

  const std::vector<SpeechMember>& members() const { return members_; }
  // Mean log-mel bands of the training speech, [B]: where a new stream's running mean starts.
  const float* typical_mel() const { return typical_mel_; }
  // What tells voices from other sounds; null: loudness alone does.
  const std::shared_ptr<const speech::VoiceNet>& voice() const { return voice_; }
  uint64_t bytes() const { return file_->bytes(); }

 private:
  SpeechNet() = default;

  std::shared_ptr<const SafeTensors> file_;
  std::vector<SpeechMember> members_;   // at least one
  const float* typical_mel_ = nullptr;  // inside file_
  const float* scale_ = nullptr;        // [O], inside file_: from trained units to Expression's
  std::shared_ptr<const speech::VoiceNet> voice_;
};

}  // namespace talkface::auwarp
