// SPDX-License-Identifier: MIT
// A talking face without GStreamer: a portrait and a sound file become numbered PNG pictures, 25 of
// them for each second. The page that explains it is docs/embedding.md.
//
//   g++ -std=c++17 -O2 embed.cpp -o embed $(pkg-config --cflags --libs talkface-engine)
//   ./embed PORTRAIT SPEECH.wav FOLDER [MODEL]
//
// The portrait may be a JPEG or a PNG, which stb_image reads (Debian's libstb-dev); the sound is a
// WAV file of 16 bits, mono or stereo, at any rate. The folder must exist.
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#include <talkface/engine.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr uint64_t kSecond = 1'000'000'000, kFps = 25;

// The engine's objects are counted: whoever is handed one lets go of it once.
struct LetGo {
  void operator()(talkface::Object* object) const { object->Unref(); }
};
template <typename T>
using Held = std::unique_ptr<T, LetGo>;

void Check(const talkface::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.message);
}

// What `call` hands out, as in Make<Face>([&](Face** out) { return engine->Enrol(pixels, out); }).
template <typename T, typename Call>
Held<T> Make(Call call) {
  T* made = nullptr;
  Check(call(&made));
  return Held<T>(made);
}

struct Sound {
  uint32_t rate = 0;
  std::vector<float> samples;  // mono, -1..1
};

template <typename T>
T Number(const std::vector<char>& bytes, size_t at) {  // as WAV and most machines write them
  T value{};
  if (at + sizeof value > bytes.size()) throw std::runtime_error("the WAV file is cut short");
  std::memcpy(&value, &bytes[at], sizeof value);
  return value;
}

Sound ReadWav(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  const std::runtime_error wrong(path + " is no WAV file of 16 bits, mono or stereo");
  if (bytes.size() < 12 || std::memcmp(&bytes[8], "WAVE", 4) != 0) throw wrong;
  Sound sound;
  uint16_t channels = 0;
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const std::string name(&bytes[at], 4);
    const size_t size = Number<uint32_t>(bytes, at + 4), body = at + 8;
    if (name == "fmt ") {
      channels = Number<uint16_t>(bytes, body + 2);
      sound.rate = Number<uint32_t>(bytes, body + 4);
      if (Number<uint16_t>(bytes, body + 14) != 16 || channels < 1 || channels > 2) throw wrong;
    } else if (name == "data" && channels > 0) {
      const size_t end = std::min(body + size, bytes.size()), step = 2 * size_t{channels};
      for (size_t i = body; i + step <= end; i += step) {
        float sum = 0;
        for (size_t c = 0; c < channels; ++c) sum += Number<int16_t>(bytes, i + 2 * c);
        sound.samples.push_back(sum / static_cast<float>(channels) / 32768.0f);
      }
    }
    at = body + size + size % 2;
  }
  if (sound.rate == 0 || sound.samples.empty()) throw wrong;
  return sound;
}

// To the rate that the engine hears at, along straight lines: plain, but good enough for speech.
Sound Resample(const Sound& from, uint32_t rate) {
  if (from.rate == rate) return from;
  Sound to{rate, std::vector<float>(from.samples.size() * uint64_t{rate} / from.rate)};
  for (size_t i = 0; i < to.samples.size(); ++i) {
    const double place = static_cast<double>(i) * from.rate / rate;
    const size_t before = static_cast<size_t>(place);
    const size_t after = std::min(before + 1, from.samples.size() - 1);
    const float part = static_cast<float>(place - static_cast<double>(before));
    to.samples[i] = (1 - part) * from.samples[before] + part * from.samples[after];
  }
  return to;
}

Held<talkface::Engine> Open(const char* model) {
  talkface::EngineOptions options;  // each struct fills in its own size
  options.model = model;
  return Make<talkface::Engine>([&](talkface::Engine** out) {
    return talkface_engine_open(talkface::kEngineAbi, &options, out);
  });
}

void Run(const char* portrait_path, const char* speech_path, const std::string& folder,
         const char* model) {
  int width = 0, height = 0;
  const std::unique_ptr<uint8_t, decltype(&stbi_image_free)> rgba(
      stbi_load(portrait_path, &width, &height, nullptr, 4), &stbi_image_free);
  if (!rgba) throw std::runtime_error(std::string(portrait_path) + ": " + stbi_failure_reason());
  const Held<talkface::Engine> engine = Open(model);
  const Sound sound = Resample(ReadWav(speech_path), engine->Info().sample_rate_hz);

  // Once for each portrait, and once for each format that it is drawn in.
  const talkface::Pixels portrait(rgba.get(), static_cast<uint32_t>(width),
                                  static_cast<uint32_t>(height), 4 * static_cast<size_t>(width));
  const auto face =
      Make<talkface::Face>([&](talkface::Face** out) { return engine->Enrol(portrait, out); });
  const talkface::TargetFormat format(portrait.width, portrait.height, talkface::PixelFormat::kRGBA,
                                      talkface::ColorMatrix::kBt709,
                                      talkface::ChromaSite::kCentered, /*full_range=*/true);
  talkface::SceneOptions options;
  options.target = &format;
  const auto scene = Make<talkface::Scene>(
      [&](talkface::Scene** out) { return engine->Prepare(face.get(), options, out); });

  // Once for each stream. A live program pushes sound as it comes, and asks Ready before Take.
  const auto speech =
      Make<talkface::Speech>([&](talkface::Speech** out) { return engine->OpenSpeech(out); });
  const auto renderer = Make<talkface::Renderer>(
      [&](talkface::Renderer** out) { return engine->CreateRenderer(out); });
  Check(speech->Push(sound.samples.data(), sound.samples.size()));
  Check(speech->Drain());

  std::vector<uint8_t> picture(portrait.stride * portrait.height);
  talkface::FrameTarget target;
  target.planes[0] = picture.data();
  target.strides[0] = portrait.stride;
  const uint64_t frames = (sound.samples.size() * kFps + sound.rate - 1) / sound.rate;
  for (uint64_t i = 0; i < frames; ++i) {
    talkface::Job job;
    job.time_ns = i * kSecond / kFps;
    const auto controls = Make<talkface::Controls>(
        [&](talkface::Controls** out) { return speech->Take(job.time_ns, out); });
    job.scene = scene.get();
    job.controls = controls.get();
    job.target = &target;
    uint64_t ticket = 0;
    Check(renderer->Submit(job, &ticket));  // several may be on their way, each with its own target
    Check(renderer->Wait(ticket, UINT64_MAX));
    char name[40];
    std::snprintf(name, sizeof name, "/frame-%06llu.png", static_cast<unsigned long long>(i));
    if (stbi_write_png((folder + name).c_str(), width, height, 4, picture.data(),
                       static_cast<int>(portrait.stride)) == 0)
      throw std::runtime_error("cannot write " + folder + name);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: embed PORTRAIT SPEECH.wav FOLDER [MODEL]\n");
    return 2;
  }
  try {
    Run(argv[1], argv[2], argv[3], argc == 5 ? argv[4] : "auwarp");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "embed: %s\n", error.what());
    return 1;
  }
  return 0;
}
