// SPDX-License-Identifier: MIT
// What auwarp tells a face to do, 50 times a second, as text:
//
//   commanded PACK < SAMPLES     SAMPLES: 32-bit floats, mono, at 16 kHz
//
// A head line, then per frame: time in ms, inner-lip opening and mouth width less their rest in
// face heights, and the share of speech, 0 to 1.
#include <cstdio>
#include <exception>
#include <vector>

#include "models/families/auwarp/controls.h"
#include "models/families/auwarp/family.h"

namespace talkface {
namespace {

constexpr uint64_t kFrameNs = 20'000'000;

std::vector<float> ReadSamples() {
  std::vector<float> samples;
  float block[4096];
  for (size_t count = 0; (count = std::fread(block, sizeof *block, std::size(block), stdin)) > 0;)
    samples.insert(samples.end(), block, block + count);
  return samples;
}

void Print(const char* model) {
  const auto pack = Pack::Open(model, "");
  if (pack->family() != "auwarp")
    throw Error(Code::kUnsupported, "commanded: the pack is of the family '" + pack->family() +
                                        "', and only auwarp has an opening to print");
  const auto family =
      auwarp::OpenFamily({*pack, "cpu", Precision::kAuto, "", [](int, const char*) {}});
  const auto speech = family->OpenSpeech();
  const std::vector<float> samples = ReadSamples();
  speech->Push(samples.data(), samples.size());
  speech->Drain();
  const uint64_t end_ns = samples.size() * 1'000'000'000 / family->info.sample_rate_hz;
  std::printf("time_ms opening width speech\n");
  for (uint64_t time_ns = 0; time_ns < end_ns; time_ns += kFrameNs) {
    const auto controls =
        std::static_pointer_cast<const auwarp::AuwarpControls>(speech->Take(time_ns));
    const auwarp::Expression& e = controls->expression;
    std::printf("%llu %.5f %.5f %.3f\n", static_cast<unsigned long long>(time_ns / 1'000'000),
                static_cast<double>(e.opening), static_cast<double>(e.width),
                static_cast<double>(e.speech));
  }
}

}  // namespace
}  // namespace talkface

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: commanded PACK < SAMPLES\n");
    return 2;
  }
  try {
    talkface::Print(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "commanded: %s\n", error.what());
    return 1;
  }
  return 0;
}
