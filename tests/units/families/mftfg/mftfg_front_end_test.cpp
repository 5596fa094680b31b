// SPDX-License-Identifier: MIT
// What models/families/mftfg does without libtorch: settings, MFCC, preprocessing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "models/families/mftfg/config.h"
#include "models/families/mftfg/face/face_inputs.h"
#include "models/speech/mfcc.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::mftfg {
namespace {

using nlohmann::json;
constexpr double kPi = 3.14159265358979323846;

// ---- settings

Config ConfigOf(const json& section) {
  const test::TemporaryFolder folder;
  json manifest = json::parse(R"({"schema":1,"name":"p","family":"mftfg","version":"1",
    "licence":"MIT","timing":{"sample_rate_hz":16000,"hop_samples":160,"look_behind_ms":0,
    "look_ahead_min_ms":0,"look_ahead_default_ms":200,"look_ahead_max_ms":400}})");
  manifest["mftfg"] = section;
  folder.Write("p/manifest.json", manifest.dump());
  return ReadConfig(*Pack::Open("p", folder.path()));
}

TEST(MftfgConfig, AnEmptySectionIsTheFullSizeModel) {
  const Config config = ConfigOf(json::object());
  EXPECT_FALSE(config.official());
  EXPECT_EQ(config.latent_size(), 28);
  EXPECT_EQ(config.context_features(), 1024);
  const Config official = ConfigOf({{"wiring", "official"}});
  EXPECT_EQ(official.fused_features(), 396);
  EXPECT_EQ(official.context_features(), 8);
  EXPECT_EQ(ConfigOf({{"tacn_channels", {64, 32}}}).tacn_channels, (std::vector<int64_t>{64, 32}));
}

TEST(MftfgConfig, EveryWrongFieldIsNamedWithWhatWasWanted) {
  struct Case {
    json section;
    const char *field, *wanted;
  };
  const Case cases[] = {
      {{{"wiring", "new"}}, "mftfg.wiring is \"new\"", "\"corrected\" or \"official\""},
      {{{"wiring", 1}}, "mftfg.wiring is 1", "corrected"},
      {{{"conditioning", true}}, "mftfg.conditioning is true", "\"trained\" or \"untrained\""},
      {{{"sampler_steps", 51}}, "mftfg.sampler_steps is 51", "1 to 50"},
      {{{"window_frames", 0}}, "mftfg.window_frames is 0", "1 to 1000"},
      {{{"au_hidden", 2.5}}, "mftfg.au_hidden is 2.5", "1 to 1024"},
      {{{"au_hidden", 1e300}}, "mftfg.au_hidden is 1e+300", "1 to 1024"},
      {{{"au_hidden", UINT64_MAX}}, "mftfg.au_hidden is 18446744073709551615", "1 to 1024"},
      {{{"unet_mult", {1, 1e300}}}, "mftfg.unet_mult is [1,1e+300]", "1 to 6 numbers"},
      {{{"image_size", 110}}, "mftfg.image_size is 110", "a multiple of 4"},
      {{{"image_size", 116}, {"first_stage_mult", {1, 1, 1, 1}}}, "mftfg.image_size", "of 8"},
      {{{"tacn_channels", json::array()}}, "mftfg.tacn_channels is []", "1 to 8 numbers"},
      {{{"tacn_channels", {512, "x"}}}, "mftfg.tacn_channels", "each 8 to 4096"},
      {{{"tacn_channels", {510}}}, "mftfg.tacn_channels is 510", "multiples of attention_heads"},
      {{{"unet_channels", 100}}, "mftfg.unet_channels is 100", "a multiple of 32"},
      {{{"first_stage_channels", 100}}, "mftfg.first_stage_channels is 100", "multiple of 32"},
      {{{"unet_head_channels", 48}}, "mftfg.unet_head_channels is 48", "a divisor"},
  };
  for (const Case& wrong : cases) {
    EXPECT_ERROR(ConfigOf(wrong.section), Code::kBadPack, wrong.field, wrong.wanted);
  }
}

TEST(MftfgConfig, SettingsReadBack) {
  Config config;
  config.wiring = Wiring::kOfficial;
  config.conditioned = false;
  config.unet_mult = {1, 2};
  config.sampler_steps = 3;
  const Config read = ConfigOf(SettingsOf(config));
  EXPECT_EQ(SettingsOf(read), SettingsOf(config));
  EXPECT_NE(SettingsOf(read), SettingsOf(Config()));
}

TEST(MftfgConfig, TheDocumentHasTheTable) {
  const char* folder = std::getenv("TALKFACE_TEST_DOCS");
  ASSERT_NE(folder, nullptr);
  std::ifstream in(std::string(folder) + "/mftfg.md");
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_NE(text.str().find(ConfigTable()), std::string::npos) << ConfigTable();
}

// ---- MFCC

std::vector<int16_t> Noise(size_t count, unsigned seed, double level = 8000) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, level);
  std::vector<int16_t> samples;
  for (size_t i = 0; i < count; ++i)
    samples.push_back(static_cast<int16_t>(std::clamp(normal(random), -32768.0, 32767.0)));
  return samples;
}

// One column by the formulae as they stand in docs/mftfg.md, without tables or a fast transform.
speech::MfccColumn PlainColumn(const std::vector<int16_t>& samples, size_t column) {
  const auto sample = [&](size_t i) { return i < samples.size() ? 1.0 * samples[i] : 0.0; };
  const auto mel = [](double hz) { return 2595 * std::log10(1 + hz / 700); };
  const auto edge = [&](int i) {
    return 700 * (std::pow(10, (mel(300) + i * (mel(3700) - mel(300)) / 14) / 2595) - 1);
  };
  std::array<double, 13> energies{};
  for (int k = 0; k <= 256; ++k) {
    std::complex<double> sum = 0;
    for (size_t n = 0; n < 400; ++n) {
      const size_t at = 160 * column + n;
      double x = at < samples.size() ? sample(at) : 0.0;
      if (at > 0 && at < samples.size()) x -= 0.97 * sample(at - 1);
      x *= 0.54 - 0.46 * std::cos(2 * kPi * static_cast<double>(n) / 399);
      sum += x * std::polar(1.0, -2 * kPi * k * static_cast<double>(n) / 512);
    }
    for (int f = 0; f < 13; ++f) {
      const double hz = k * 31.25, up = (hz - edge(f)) / (edge(f + 1) - edge(f));
      const double down = (edge(f + 2) - hz) / (edge(f + 2) - edge(f + 1));
      energies[f] += std::max(0.0, std::min(up, down)) * std::abs(sum);
    }
  }
  speech::MfccColumn cepstrum{};
  for (int n = 1; n < 13; ++n) {
    for (int f = 0; f < 13; ++f)
      cepstrum[n - 1] += std::sqrt(2.0 / 13) * std::cos(kPi * n * (f + 0.5) / 13) *
                         std::log(energies[f] == 0 ? 2.220446049250313e-16 : energies[f]);
    cepstrum[n - 1] *= 1 + 11 * std::sin(kPi * n / 22);
  }
  return cepstrum;
}

TEST(Mfcc, EqualsTheFormulae) {
  for (const size_t count : {size_t{1}, size_t{300}, size_t{400}, size_t{401}, size_t{1200}}) {
    const std::vector<int16_t> samples = Noise(count, static_cast<unsigned>(count));
    const std::vector<speech::MfccColumn> columns = speech::Mfcc(samples);
    EXPECT_EQ(columns.size(), count <= 400 ? 1 : (count - 400 + 159) / 160) << count;
    for (size_t k = 0; k < columns.size(); ++k) {
      const speech::MfccColumn plain = PlainColumn(samples, k);
      for (size_t n = 0; n < plain.size(); ++n)
        EXPECT_NEAR(columns[k][n], plain[n], 1e-9) << count << " samples, column " << k;
    }
  }
}

TEST(Mfcc, DoesNotDependOnLoudnessAndIsZeroInSilence) {
  std::vector<int16_t> quiet = Noise(2000, 1, 300), loud = quiet;
  for (int16_t& sample : loud) sample = static_cast<int16_t>(sample * 16);
  const auto a = speech::Mfcc(quiet), b = speech::Mfcc(loud),
             c = speech::Mfcc(std::vector<int16_t>(2000, 0));
  for (size_t k = 0; k < a.size(); ++k) {
    for (size_t n = 0; n < a[k].size(); ++n) {
      EXPECT_NEAR(a[k][n], b[k][n], 1e-9);
      EXPECT_NEAR(c[k][n], 0, 1e-9);
    }
  }
  EXPECT_TRUE(speech::Mfcc({}).size() == 1);
}

TEST(Mfcc, AStreamEqualsTheRecordingForEveryCut) {
  const std::vector<int16_t> samples = Noise(1230, 2);
  std::vector<float> floats;
  for (int16_t sample : samples) floats.push_back(static_cast<float>(sample) / 32768.0f);
  const std::vector<speech::MfccColumn> whole = speech::Mfcc(samples);
  for (size_t cut = 0; cut <= floats.size(); ++cut) {
    speech::MfccStream stream;
    std::vector<speech::MfccColumn> columns;
    stream.Push(floats.data(), cut, &columns);
    stream.Push(floats.data() + cut, floats.size() - cut, &columns);
    ASSERT_EQ(columns, whole) << cut;
  }
  speech::MfccStream stream;
  std::vector<speech::MfccColumn> columns;
  for (float sample : floats) stream.Push(&sample, 1, &columns);
  EXPECT_EQ(columns, whole);
  columns.clear();
  stream.Reset();
  stream.Push(floats.data(), floats.size(), &columns);
  EXPECT_EQ(columns, whole);
}

TEST(Mfcc, AStreamTakesAnySample) {
  speech::MfccStream stream;
  std::vector<speech::MfccColumn> columns;
  std::vector<float> samples(800, 0.1f);
  samples[3] = NAN, samples[4] = INFINITY, samples[5] = 100.0f, samples[6] = -100.0f;
  stream.Push(samples.data(), samples.size(), &columns);
  for (const speech::MfccColumn& column : columns)
    for (double value : column) EXPECT_TRUE(std::isfinite(value));
}

TEST(Mfcc, AFrameHearsTheColumnsAroundIt) {
  for (uint64_t time_ns = 0; time_ns < 2'000'000'000; time_ns += 33'333'333) {
    const int64_t first = speech::FirstColumnAt(time_ns);
    const double centre_ms = 10.0 * static_cast<double>(first + 12) + 12.5;
    EXPECT_NEAR(centre_ms, static_cast<double>(time_ns) / 1e6, 5.0);
    const uint64_t needed = speech::SamplesNeededAt(time_ns);
    const std::vector<float> silence(needed, 0.0f);
    for (const size_t count : {needed - 1, needed}) {
      speech::MfccStream stream;
      std::vector<speech::MfccColumn> columns;
      stream.Push(silence.data(), count, &columns);
      const bool complete = static_cast<int64_t>(columns.size()) >= first + 25;
      EXPECT_EQ(complete, count == needed) << time_ns;
    }
  }
  const std::vector<speech::MfccColumn> columns = speech::Mfcc(Noise(16000, 3));
  const std::vector<float> begin = speech::MfccWindow(columns, 0, -3);
  EXPECT_EQ(begin[2], 0.0f);
  EXPECT_EQ(begin[3], static_cast<float>(columns[0][0]));
  EXPECT_EQ(begin[25 + 4], static_cast<float>(columns[1][1]));
  const std::vector<speech::MfccColumn> later(columns.begin() + 10, columns.end());
  EXPECT_EQ(speech::MfccWindow(later, 10, 20), speech::MfccWindow(columns, 0, 20));
}

// ---- preprocessing

imaging::Landmarks SomeFace() {
  std::mt19937 random(4);
  std::uniform_real_distribution<double> place(10, 118);
  imaging::Landmarks face;
  for (size_t i = 0; i < imaging::kLandmarkScheme; ++i)
    face.push_back({place(random), place(random)});
  return face;
}

imaging::Landmarks Moved(const imaging::Landmarks& points, const imaging::Affine& m) {
  imaging::Landmarks moved;
  for (const imaging::Point& p : points)
    moved.push_back({m[0] * p.x + m[1] * p.y + m[2], m[3] * p.x + m[4] * p.y + m[5]});
  return moved;
}

TEST(MftfgAlignment, FindsTheSimilarityMirroredOrNot) {
  const imaging::Landmarks face = SomeFace();
  for (const imaging::Affine& wanted :
       {imaging::Affine{0.8, -0.6, 30, 0.6, 0.8, -7}, imaging::Affine{-2, 0, 5, 0, -2, 1},
        imaging::Affine{0, 1.5, 3, 1.5, 0, 4}, imaging::Affine{1, 0, 0, 0, 1, 0}}) {
    const imaging::Affine got = imaging::Similarity(face, Moved(face, wanted));
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 1e-9);
  }
  EXPECT_ERROR(imaging::Similarity(face, {}), Code::kInvalid, "68 and 0 points");
  EXPECT_ERROR(imaging::Similarity({{1, 1}, {1, 1}}, {{0, 0}, {1, 1}}), Code::kInvalid,
               "one place");
  EXPECT_ERROR(imaging::AlignFace(face, {}), Code::kInvalid, "mean shape has 0 points", "49");
}

// The crop shows the same place of the picture where CropLandmarks puts it.
TEST(MftfgAlignment, PointsMoveWithThePicture) {
  imaging::ByteImage picture(200, 160, 1);
  for (int y = 0; y < 160; ++y)
    for (int x = 0; x < 200; ++x) picture.Row(y)[x] = static_cast<uint8_t>(x);
  const imaging::Affine similarity = {1.1, 0.2, -10, -0.2, 1.1, 30};
  const imaging::ByteImage crop = imaging::CropFace(picture, similarity);
  for (const imaging::Point& point : imaging::Landmarks{{60, 60}, {100, 80}, {90, 110}}) {
    const imaging::Point there = imaging::CropLandmarks({point}, similarity)[0];
    const int x = static_cast<int>(std::lround(there.x)),
              y = static_cast<int>(std::lround(there.y));
    EXPECT_NEAR(crop.Row(y)[x], point.x, 1.5);
  }
}

TEST(MftfgResample, KeepsAConstantPictureAndTheSameSize) {
  imaging::ByteImage flat(40, 30, 3);
  std::fill(flat.values.begin(), flat.values.end(), uint8_t{200});
  for (uint8_t value : imaging::ResizeBicubic(flat, 17, 50).values) EXPECT_EQ(value, 200);
  for (uint8_t value : imaging::ResizeBilinear(flat, 17, 50).values) EXPECT_EQ(value, 200);
  imaging::ByteImage noise(31, 20, 3);
  std::mt19937 random(5);
  for (uint8_t& value : noise.values) value = static_cast<uint8_t>(random());
  EXPECT_EQ(imaging::ResizeBicubic(noise, 31, 20).values, noise.values);
  EXPECT_EQ(imaging::ResizeBilinear(noise, 31, 20).values, noise.values);
}

// Pixels whose centre is clearly inside or outside, by the ray rule.
TEST(MftfgResample, FillsWhatIsInsideThePolygon) {
  const std::vector<imaging::PixelPoint> corners = {{-10, 5}, {60, 2}, {70, 90}, {30, 40}, {5, 70}};
  imaging::ByteImage image(64, 64, 1);
  imaging::FillPolygon(corners, 1, &image);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      bool inside = false;
      double nearest = 1e9;
      for (size_t i = 0; i < corners.size(); ++i) {
        const imaging::PixelPoint a = corners[i], b = corners[(i + 1) % corners.size()];
        const double dx = b.x - a.x, dy = b.y - a.y;
        if ((a.y > y) != (b.y > y) && x < a.x + dx * (y - a.y) / dy) inside = !inside;
        const double t = ((x - a.x) * dx + (y - a.y) * dy) / (dx * dx + dy * dy);
        const double s = std::clamp(t, 0.0, 1.0);
        nearest = std::min(nearest, std::hypot(x - a.x - s * dx, y - a.y - s * dy));
      }
      if (nearest < 1.5) continue;
      EXPECT_EQ(image.Row(y)[x], inside ? 1 : 0) << x << " " << y;
    }
  }
}

TEST(MftfgFaceInputs, NormalisedLandmarksAreFreeOfPlaceAndSize) {
  const imaging::Landmarks face = SomeFace();
  const std::vector<float> a = NormalisedLandmarks(face);
  const std::vector<float> b = NormalisedLandmarks(Moved(face, {3, 0, 50, 0, 3, -20}));
  ASSERT_EQ(a.size(), static_cast<size_t>(2 * kLandmarks));
  double square = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i], b[i], 1e-5);
    square += a[i] * a[i] / static_cast<double>(a.size());
  }
  EXPECT_NEAR(square, 1, 1e-5);
  EXPECT_ERROR(NormalisedLandmarks(imaging::Landmarks(68, {1, 1})), Code::kInvalid, "one place");
  EXPECT_ERROR(NormalisedLandmarks(imaging::Landmarks(5, {1, 1})), Code::kInvalid, "5 landmarks",
               "68");
}

TEST(MftfgFaceInputs, MasksTakeAnyFace) {
  imaging::Landmarks face = SomeFace();
  face[33].y = 64;
  imaging::ByteImage reference(112, 112, 3);
  std::fill(reference.values.begin(), reference.values.end(), uint8_t{9});
  const imaging::ByteImage masked = ImageMask(reference, face);
  EXPECT_EQ(masked.Row(55)[5], 9);
  EXPECT_EQ(masked.Row(56)[5], 0);
  const imaging::ByteImage mask = InferenceMask(face, 28);
  for (uint8_t value : mask.values) EXPECT_LE(value, 1);
  face[5] = {-1e300, 1e300};
  InferenceMask(face, 28);
  face[33].y = -50;
  EXPECT_EQ(ImageMask(reference, face).Row(0)[0], 0);
  face[33].y = 1e9;
  EXPECT_EQ(ImageMask(reference, face).values, reference.values);
  face[5].x = NAN;
  EXPECT_ERROR(InferenceMask(face, 28), Code::kInvalid, "not finite");
}

TEST(MftfgFaceInputs, OpenFacesColumns) {
  std::vector<float> row(37);
  for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(i);
  EXPECT_EQ(UnitsOfOpenFace(row).intensity, (std::array<float, 5>{9, 11, 14, 16, 17}));
  EXPECT_EQ(UnitsOfOpenFace(row).presence, (std::array<float, 5>{26, 28, 31, 33, 34}));
  row.pop_back();
  EXPECT_ERROR(UnitsOfOpenFace(row), Code::kInvalid, "36 numbers", "37");
}

}  // namespace
}  // namespace talkface::mftfg
