// SPDX-License-Identifier: MIT
#include "models/training/speech/speech_noise.h"

#include <algorithm>
#include <cmath>

#include "models/speech/log_mel.h"
#include "models/training/speech/random.h"

namespace talkface::training {
namespace {

constexpr double kTurn = 6.283185307179586;

// White noise through a one-pole low pass: `pole` 0 is white, .9 about pink, .99 brown.
void Hiss(double pole, std::vector<double>* out, Random* random) {
  std::normal_distribution<double> normal;
  double state = 0;
  for (double& sample : *out) {
    const double white = normal(*random);
    state = pole * state + (1 - pole) * white;
    sample += state + 0.02 * white;
  }
}

// A mains hum and its overtones.
void Hum(std::vector<double>* out, Random* random) {
  const double hz = Uniform(40, 130, random);
  for (int overtone = 1; overtone < 12; ++overtone) {
    const double size = Uniform(0, 1, random) / overtone, phase = Uniform(0, kTurn, random);
    for (size_t i = 0; i < out->size(); ++i)
      (*out)[i] += size * std::sin(phase + kTurn * hz * overtone * static_cast<double>(i) /
                                               speech::kSpeechRateHz);
  }
}

void Clicks(std::vector<double>* out, Random* random) {
  const double gap = Uniform(0.05, 0.6, random) * speech::kSpeechRateHz;
  std::normal_distribution<double> normal;
  for (double at = Uniform(0, gap, random); at < static_cast<double>(out->size());
       at += gap * Uniform(0.6, 1.4, random)) {
    const double fade = Uniform(10, 400, random), size = Uniform(0.3, 1, random);
    for (size_t i = 0; i < 1600 && static_cast<size_t>(at) + i < out->size(); ++i)
      (*out)[static_cast<size_t>(at) + i] +=
          size * normal(*random) * std::exp(-static_cast<double>(i) / fade);
  }
}

// Notes of a random instrument: onset, decay, overtones; several voices make chords.
void Notes(int voices, std::vector<double>* out, Random* random) {
  const double length = Uniform(0.08, 0.6, random) * speech::kSpeechRateHz;
  const double decay = Uniform(0.1, 1.5, random) * speech::kSpeechRateHz;
  const double brightness = Uniform(0.3, 0.9, random);
  for (int voice = 0; voice < voices; ++voice) {
    for (double at = 0; at < static_cast<double>(out->size()); at += length) {
      const double hz = 110 * std::pow(2.0, std::floor(Uniform(0, 36, random)) / 12);
      const double size = Uniform(0, 1, random);
      const size_t begin = static_cast<size_t>(at);
      const size_t end = std::min(out->size(), begin + static_cast<size_t>(length));
      for (int overtone = 1; overtone < 8 && hz * overtone < 7000; ++overtone) {
        const double part = size * std::pow(brightness, overtone);
        for (size_t i = begin; i < end; ++i) {
          const double age = static_cast<double>(i - begin);
          (*out)[i] += part * std::min(1.0, age / 100) * std::exp(-age / decay) *
                       std::sin(kTurn * hz * overtone * age / speech::kSpeechRateHz);
        }
      }
    }
  }
}

}  // namespace

std::vector<float> MakeNoise(int count, Random* random) {
  std::vector<double> sound(static_cast<size_t>(count), 0.0);
  switch (std::uniform_int_distribution<int>(0, 7)(*random)) {
    case 0:
      Hiss(0, &sound, random);
      break;
    case 1:
      Hiss(0.9, &sound, random);
      break;
    case 2:
      Hiss(0.99, &sound, random);
      break;
    case 3:
      Hum(&sound, random);
      break;
    case 4:
      Clicks(&sound, random);
      break;
    case 5:
      Notes(1, &sound, random);
      break;
    default:
      Notes(4, &sound, random);
  }
  double power = 1e-12;
  for (double sample : sound) power += sample * sample / count;
  const double level = std::pow(10.0, Uniform(-55, -15, random) / 20);
  std::vector<float> samples;
  for (double sample : sound)
    samples.push_back(static_cast<float>(sample * level / std::sqrt(power)));
  return samples;
}

}  // namespace talkface::training
