// SPDX-License-Identifier: MIT
// auwarp's speech part: front end against plain formulas, the stream's calls, and that nothing
// depends on how the audio was cut.
#include <gtest/gtest.h>

#include <algorithm>
#include <complex>
#include <limits>

#include "models/families/auwarp/speech/speech_stream.h"
#include "tests/units/support/speech_fixture.h"

namespace talkface::auwarp {
namespace {

constexpr uint64_t kMs = 1'000'000;

class SpeechTest : public testing::Test {
 protected:
  static std::shared_ptr<const AuwarpControls> Take(SpeechModel* stream, uint64_t ms) {
    return std::static_pointer_cast<const AuwarpControls>(stream->Take(ms * kMs));
  }
  // Every number of every 40 ms frame of the first `ms`.
  static std::vector<float> Frames(SpeechModel* stream, uint64_t ms) {
    std::vector<float> numbers;
    for (uint64_t t = 0; t < ms; t += 40) {
      const auto controls = Take(stream, t);
      const Expression& e = controls->expression;
      numbers.insert(numbers.end(), {e.opening, e.width, e.upper, e.jaw, controls->level,
                                     controls->idle ? 1.0f : 0.0f});
      numbers.insert(numbers.end(), controls->units.begin(), controls->units.end());
    }
    return numbers;
  }

  TemporaryFolder folder_;
  std::shared_ptr<const SpeechNet> net_ = RandomNet(folder_);
  std::unique_ptr<SpeechModel> stream_ = OpenSpeechStream(net_);
  const std::vector<float> speech_ = Babble(2.0);
};

// The formulas as they stand in a book: Hann, a plain Fourier sum, triangles on the mel scale.
std::vector<double> SlowMel(const std::vector<float>& samples, int end) {
  const double pi = std::acos(-1.0);
  std::vector<double> windowed(speech::kMelFft, 0.0);
  double power = 0;
  for (int i = 0; i < speech::kMelWindow; ++i) {
    const double hann = 0.5 - 0.5 * std::cos(2 * pi * (i + 0.5) / speech::kMelWindow);
    power += hann * hann;
    const int at = end - speech::kMelWindow + i;
    windowed[i] = at < 0 ? 0.0 : hann * samples[static_cast<size_t>(at)];
  }
  const auto mel_of = [](double hz) { return 1127.0 * std::log(1 + hz / 700.0); };
  const double low = mel_of(60), step = (mel_of(7600) - low) / (speech::kMelBands + 1);
  std::vector<double> bands(speech::kMelBands, 0.0);
  for (int k = 1; k < speech::kMelFft / 2; ++k) {
    std::complex<double> sum = 0;
    for (int i = 0; i < speech::kMelFft; ++i)
      sum += windowed[i] * std::polar(1.0, -2 * pi * k * i / speech::kMelFft);
    const double mel = mel_of(static_cast<double>(k) * speech::kSpeechRateHz / speech::kMelFft);
    for (int b = 0; b < speech::kMelBands; ++b) {
      const double weight = 1 - std::abs((mel - low) / step - (b + 1));
      if (weight > 0) bands[b] += weight * std::norm(sum) * 2 / (speech::kMelFft * power);
    }
  }
  for (double& band : bands) band = std::log(band + 1e-8);
  return bands;
}

TEST_F(SpeechTest, FrontEndEqualsThePlainFormulas) {
  speech::SpeechFrontEnd front_end;
  for (int frame = 0; frame < 12; ++frame) {
    const speech::MelFrame mel = front_end.Push(speech_.data() + frame * speech::kMelHop);
    const std::vector<double> slow = SlowMel(speech_, (frame + 1) * speech::kMelHop);
    for (int b = 3; b < speech::kMelBands; ++b)  // the lowest may be narrower than a bin
      EXPECT_NEAR(mel.bands[b], slow[b], 2e-3) << "frame " << frame << " band " << b;
  }
}

TEST_F(SpeechTest, LevelOfASineIsItsPower) {
  std::vector<float> sine(speech::kSpeechRateHz);
  for (size_t i = 0; i < sine.size(); ++i)
    sine[i] =
        0.1f * static_cast<float>(std::sin(6.2831853 * 1000 * static_cast<double>(i) / 16000));
  speech::SpeechFrontEnd front_end;
  speech::MelFrame frame{};
  for (int i = 0; i < 20; ++i) frame = front_end.Push(sine.data() + i * speech::kMelHop);
  EXPECT_NEAR(frame.level_db, -23.0, 1.0);
  EXPECT_NEAR(speech::LevelOfBands(frame.bands), frame.level_db, 1e-3);
}

TEST_F(SpeechTest, NotANumberCountsAsSilence) {
  std::vector<float> broken = speech_, mended = speech_;
  for (size_t i = 5000; i < 6000; ++i) {
    broken[i] = i % 2 == 0 ? std::numeric_limits<float>::quiet_NaN()
                           : -std::numeric_limits<float>::infinity();
    mended[i] = 0;
  }
  const auto other = OpenSpeechStream(net_);
  stream_->Push(broken.data(), broken.size());
  other->Push(mended.data(), mended.size());
  const auto frames = Frames(stream_.get(), 1600);
  EXPECT_EQ(frames, Frames(other.get(), 1600));
  EXPECT_TRUE(std::all_of(frames.begin(), frames.end(), [](float v) { return std::isfinite(v); }));
}

TEST_F(SpeechTest, FullScaleAudioGivesControlsInRange) {
  std::vector<float> loud(speech_.size());
  for (size_t i = 0; i < loud.size(); ++i) loud[i] = i / 50 % 2 == 0 ? 1e30f : -1.0f;
  stream_->Push(loud.data(), loud.size());
  for (uint64_t t = 0; t < 1600; t += 40) {
    const auto controls = Take(stream_.get(), t);
    EXPECT_TRUE(std::isfinite(Motion(*controls)));
    for (float unit : controls->units) EXPECT_TRUE(unit >= 0 && unit <= 5) << unit;
  }
}

TEST_F(SpeechTest, EveryCutOfTheAudioGivesTheSameFrames) {
  stream_->Push(speech_.data(), speech_.size());
  stream_->Drain();
  const std::vector<float> whole = Frames(stream_.get(), 2400);
  for (size_t cut : {1, 7, 160, 320, 441, 4800, 48000}) {
    const auto other = OpenSpeechStream(net_);
    for (size_t at = 0; at < speech_.size(); at += cut)
      other->Push(speech_.data() + at, std::min(cut, speech_.size() - at));
    other->Drain();
    EXPECT_EQ(whole, Frames(other.get(), 2400)) << "pieces of " << cut;
  }
}

TEST_F(SpeechTest, NullSamplesAreZeros) {
  const std::vector<float> zeros(100000, 0.0f);
  const auto other = OpenSpeechStream(net_);
  for (const auto& stream : {stream_.get(), other.get()}) stream->Push(speech_.data(), 20000);
  stream_->Push(nullptr, zeros.size());
  other->Push(zeros.data(), zeros.size());
  for (const auto& stream : {stream_.get(), other.get()}) {
    stream->Push(speech_.data(), speech_.size());
    stream->Drain();
  }
  EXPECT_EQ(Frames(stream_.get(), 9000), Frames(other.get(), 9000));
}

TEST_F(SpeechTest, ReadyWhenTheLookAheadIsThere) {
  ASSERT_EQ(stream_->LookAhead(), 210 * kMs);
  EXPECT_FALSE(stream_->Ready(0));
  stream_->Push(speech_.data(), 3199);
  EXPECT_FALSE(stream_->Ready(0));
  stream_->Push(speech_.data() + 3199, 1);  // 200 ms
  EXPECT_TRUE(stream_->Ready(0));
  EXPECT_FALSE(stream_->Ready(20 * kMs));
  stream_->Push(speech_.data() + 3200, 640);  // 240 ms
  EXPECT_TRUE(stream_->Ready(33'333'333));
  EXPECT_TRUE(stream_->Ready(40 * kMs));
  EXPECT_FALSE(stream_->Ready(60 * kMs));
}

TEST_F(SpeechTest, LookAheadIsTheLongestDelayThatFits) {
  const std::vector<std::pair<uint64_t, uint64_t>> cases = {
      {0, 70}, {70, 70}, {109, 70}, {110, 110}, {149, 110}, {150, 150}, {209, 150}, {5000, 210}};
  for (const auto& [asked, got] : cases) {
    stream_->SetLookAhead(asked * kMs);
    EXPECT_EQ(stream_->LookAhead(), got * kMs) << "asked for " << asked << " ms";
  }
  stream_->SetLookAhead(70 * kMs);
  stream_->Push(speech_.data(), 960);
  EXPECT_TRUE(stream_->Ready(0));
  EXPECT_FALSE(stream_->Ready(20 * kMs));
}

TEST_F(SpeechTest, ChangingTheLookAheadDoesNotJump) {
  stream_->Push(speech_.data(), speech_.size());
  for (uint64_t t = 0; t < 1000; t += 10) Take(stream_.get(), t);
  const auto before = Take(stream_.get(), 1000);
  stream_->SetLookAhead(60 * kMs);
  const auto after = Take(stream_.get(), 1001);
  EXPECT_NEAR(after->expression.opening, before->expression.opening, 2e-3);
  EXPECT_NEAR(after->expression.width, before->expression.width, 2e-3);
}

TEST_F(SpeechTest, MotionFadesInFromLipsAtRest) {
  stream_->Push(speech_.data(), speech_.size());
  const auto late = OpenSpeechStream(net_);
  late->Push(speech_.data(), speech_.size());
  EXPECT_EQ(Motion(*Take(stream_.get(), 0)), 0.0);
  EXPECT_EQ(Motion(*Take(late.get(), 600)), 0.0);               // wherever the first frame is
  EXPECT_EQ(Take(stream_.get(), 40)->expression.speech, 1.0f);  // a smile does not come back
  for (uint64_t t = 80; t < 800; t += 40) Take(stream_.get(), t);
  EXPECT_GT(Motion(*Take(stream_.get(), 800)), 0.0);
  EXPECT_EQ(Motion(*Take(stream_.get(), 900)), Motion(*Take(late.get(), 900)));
}

TEST_F(SpeechTest, StarvedFramesFadeToRestAndBack) {
  stream_->Push(speech_.data(), 16000);
  std::vector<double> openings;
  std::vector<bool> idle;
  for (uint64_t t = 0; t < 1600; t += 5) {
    if (t == 1400) stream_->Push(speech_.data() + 16000, 16000);
    const auto controls = Take(stream_.get(), t);
    openings.push_back(controls->expression.opening);
    idle.push_back(controls->idle);
    if (t == 795) {
      EXPECT_FALSE(controls->idle);
    }
    if (t == 825) {
      EXPECT_TRUE(controls->idle);
    }
    if (t == 1395) {
      EXPECT_EQ(Motion(*controls), 0.0);
    }
    if (t == 1500) {
      EXPECT_FALSE(controls->idle);
    }
  }
  double live_step = 0, fade_step = 0;
  for (size_t i = 1; i < openings.size(); ++i) {
    double& step = i < 160 ? live_step : fade_step;
    step = std::max(step, std::abs(openings[i] - openings[i - 1]));
  }
  EXPECT_GT(live_step, 0.0);
  EXPECT_LT(fade_step, 2 * live_step + 1e-3);
}

TEST_F(SpeechTest, DrainMakesEveryFrameReadyAndEndsAtRest) {
  stream_->Push(speech_.data(), 16100);
  EXPECT_FALSE(stream_->Ready(900 * kMs));
  stream_->Drain();
  EXPECT_TRUE(stream_->Ready(900 * kMs));
  EXPECT_TRUE(stream_->Ready(100'000 * kMs));
  EXPECT_FALSE(Take(stream_.get(), 960)->idle);
  EXPECT_FALSE(Take(stream_.get(), 1000)->idle);
  EXPECT_TRUE(Take(stream_.get(), 1040)->idle);
  for (uint64_t t = 1080; t < 1500; t += 40) Take(stream_.get(), t);
  EXPECT_EQ(Motion(*Take(stream_.get(), 1500)), 0.0);
}

TEST_F(SpeechTest, SpeechAfterDrainStartsAnew) {
  stream_->Push(speech_.data(), 16000);
  stream_->Drain();
  for (uint64_t t = 0; t < 1000; t += 40) Take(stream_.get(), t);
  stream_->Push(speech_.data(), speech_.size());
  EXPECT_TRUE(stream_->Ready(2700 * kMs));
  EXPECT_FALSE(stream_->Ready(2900 * kMs));
  const auto fresh = OpenSpeechStream(net_);
  fresh->Push(speech_.data(), speech_.size());
  Take(stream_.get(), 1000);
  Take(fresh.get(), 0);
  // A fade later nothing of the first speech is left.
  EXPECT_EQ(Take(stream_.get(), 1600)->expression.opening,
            Take(fresh.get(), 600)->expression.opening);
}

TEST_F(SpeechTest, DrainOfNothingRests) {
  stream_->Drain();
  EXPECT_TRUE(stream_->Ready(0));
  const auto controls = Take(stream_.get(), 0);
  EXPECT_TRUE(controls->idle || Motion(*controls) < 0.01);
  EXPECT_EQ(Motion(*Take(stream_.get(), 1000)), 0.0);
}

TEST_F(SpeechTest, InterruptForgetsFadesAndGoesOn) {
  stream_->Push(speech_.data(), speech_.size());
  for (uint64_t t = 0; t <= 960; t += 40) Take(stream_.get(), t);
  stream_->Interrupt(1000 * kMs, 400 * kMs);
  EXPECT_TRUE(stream_->Ready(980 * kMs));
  EXPECT_FALSE(stream_->Ready(1000 * kMs));
  const auto last = Take(stream_.get(), 999);
  EXPECT_FALSE(last->idle);
  const double motion = Motion(*last);
  const auto first = Take(stream_.get(), 1000);
  EXPECT_TRUE(first->idle);
  EXPECT_NEAR(Motion(*first), motion, 0.05 * motion + 1e-4);
  const double half = Motion(*Take(stream_.get(), 1200));
  EXPECT_GT(half, 0.2 * motion);
  EXPECT_LT(half, 0.8 * motion);
  EXPECT_EQ(Motion(*Take(stream_.get(), 1400)), 0.0);
  stream_->Push(speech_.data(), 16000);  // sounds from 1000 ms on
  EXPECT_TRUE(stream_->Ready(1800 * kMs));
  EXPECT_FALSE(stream_->Ready(1820 * kMs));
  EXPECT_FALSE(Take(stream_.get(), 1700)->idle);
}

TEST_F(SpeechTest, InterruptBeforeAnythingWasSaid) {
  stream_->Interrupt(0, 0);
  stream_->Interrupt(500 * kMs, 100 * kMs);
  stream_->Push(speech_.data(), 16000);
  EXPECT_TRUE(stream_->Ready(400 * kMs));
  EXPECT_TRUE(stream_->Ready(1300 * kMs));
  EXPECT_FALSE(stream_->Ready(1320 * kMs));
  EXPECT_TRUE(Take(stream_.get(), 400)->idle);
  EXPECT_FALSE(Take(stream_.get(), 1300)->idle);
}

TEST_F(SpeechTest, ResetIsAsNewlyOpened) {
  stream_->Push(speech_.data(), speech_.size());
  Frames(stream_.get(), 1000);
  stream_->Reset();
  EXPECT_FALSE(stream_->Ready(0));
  const auto fresh = OpenSpeechStream(net_);
  for (const auto& stream : {stream_.get(), fresh.get()}) stream->Push(speech_.data() + 100, 20000);
  EXPECT_EQ(Frames(stream_.get(), 1000), Frames(fresh.get(), 1000));
}

TEST_F(SpeechTest, TheMouthRestsInSilenceAndInSteadyNoise) {
  std::vector<float> noise(16000 * 12);
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0f, 0.003f);
  for (float& sample : noise) sample = normal(random);
  stream_->Push(noise.data(), noise.size());
  for (uint64_t t = 0; t < 8000; t += 40) Take(stream_.get(), t);
  for (uint64_t t = 8000; t < 11000; t += 40) EXPECT_EQ(Motion(*Take(stream_.get(), t)), 0.0) << t;
  stream_->Push(speech_.data(), speech_.size());
  stream_->Push(nullptr, 32000);
  double most = 0;
  for (uint64_t t = 11000; t < 14000; t += 40)
    most = std::max(most, Motion(*Take(stream_.get(), t)));
  EXPECT_GT(most, 0.0);
  for (uint64_t t = 14600; t < 15600; t += 40) EXPECT_EQ(Motion(*Take(stream_.get(), t)), 0.0) << t;
}

}  // namespace
}  // namespace talkface::auwarp
