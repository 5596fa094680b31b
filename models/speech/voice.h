// SPDX-License-Identifier: MIT
// Is what sounds a voice? silero-vad 6 (github.com/snakers4/silero-vad, MIT licence), its net for
// 16 kHz in plain C++ loops.
//
// For every 32 ms: the 64 samples before and the 512 new ones, mirrored at the end by 64 more
//   magnitudes of 4 windows (256 samples, Hann, hop 128)         [129 x 4]
//   conv1 (stride 1), conv2 (2), conv3 (2), conv4 (1), each kernel 3, padding 1, relu
//                                                                 [128 x 4], [64 x 2], [64], [128]
//   LSTM of 128 units, relu, one output, sigmoid
//
// The LSTM remembers: it goes on hearing a voice for up to a second in music that follows one, with
// less and less certainty. A net that has heard the music alone hears no voice in it. So where the
// answer is in doubt the last quarter of a second is heard again without what was before
// (VoiceDetector), and the lower answer stands.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/speech/layers.h"

namespace talkface::speech {

constexpr int kVoiceChunk = 512;   // samples between two answers
constexpr int kVoiceContext = 64;  // samples of the chunk before that count too

constexpr int kVoiceUnits = 128;  // of the LSTM
constexpr int kVoiceAgain = 8;    // chunks that are heard again

// Immutable weights, shared by all streams.
class VoiceNet {
 public:
  using Context = std::array<float, kVoiceContext>;  // the last samples of the chunk before
  using Drive = std::array<float, 4 * kVoiceUnits>;  // what a chunk gives to the LSTM's gates
  struct Memory {                                    // the LSTM's; zero in a new stream
    std::array<float, kVoiceUnits> hidden{}, cell{};
  };

  // The tensors of silero-vad's own safetensors file, their names after "voice.". Throws
  // Error{kBadPack}.
  static std::shared_ptr<const VoiceNet> Load(const SafeTensors& file);
  static bool IsIn(const SafeTensors& file) { return file.Has("voice.conv1.weight"); }

  // The layers before the LSTM, for a chunk's samples; beyond +-1 they count as +-1.
  void Hear(const float* samples, Context* context, Drive* drive) const;
  // The LSTM and what follows: probability that the chunk's end lies in speech.
  float Judge(const Drive& drive, Memory* memory) const;

 private:
  VoiceNet() = default;
  Linear conv1_, conv2_, conv3_, conv4_, lstm_input_, lstm_hidden_, head_;
};

// A stream's detector: takes samples in pieces of any size.
class VoiceDetector {
 public:
  explicit VoiceDetector(std::shared_ptr<const VoiceNet> net);
  // The last answer once `count` more samples are in.
  float Push(const float* samples, int count);

 private:
  // Of the last chunks alone.
  float JudgeAgain() const;

  std::shared_ptr<const VoiceNet> net_;
  VoiceNet::Context context_{};
  VoiceNet::Memory memory_;
  std::array<VoiceNet::Drive, kVoiceAgain> drives_;  // of the last chunks; chunk c at c % size
  uint64_t chunks_ = 0;                              // heard
  std::vector<float> pending_;
  float probability_ = 0;
};

}  // namespace talkface::speech
