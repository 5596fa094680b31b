// SPDX-License-Identifier: MIT
#include "tests/check/subject.h"

#include <algorithm>
#include <iterator>

#include "tests/units/support/drawn_face.h"

namespace talkface::test {
namespace {

constexpr GstClockTime kMs = GST_MSECOND;

constexpr Subject kSubjects[] = {
    {"fake", 200 * kMs, 2000 * kMs, 0, true, true, true, true, false},
    // Windows of 10 frames, one of them after the drawn one: 8 before it, and what the first hears.
    {"mftfg-live", 180 * kMs, 500 * kMs, (8 * 40 + 140) * kMs, false, false, false, false, true},
};

std::string WriteDrawnFace(const std::string& path, float shift) {
  const testing::DrawnFace face{kPortraitWidth, kPortraitHeight, 48 + shift, 82 - shift, 72};
  return WritePng(path, face.Draw(), kPortraitWidth, kPortraitHeight);
}

Subject ChosenSubject() {
  const char* wanted = g_getenv("TALKFACE_TEST_MODEL");
  const std::string pack = wanted != nullptr ? wanted : "fake";
  const auto* found =
      std::find_if(std::begin(kSubjects), std::end(kSubjects),
                   [&pack](const Subject& subject) { return pack == subject.pack; });
  if (found == std::end(kSubjects))
    g_error("TALKFACE_TEST_MODEL is %s, which tests/check/subject.cpp does not know", wanted);
  Subject subject = *found;
  subject.quick |= g_getenv("TALKFACE_TEST_WHOLE") != nullptr;
  return subject;
}

}  // namespace

const Subject& TestSubject() {
  static const Subject subject = ChosenSubject();
  return subject;
}

unsigned SomeSpeechMs() { return TestSubject().quick ? 1000 : 200; }

std::string WriteSubjectPortrait(const std::string& path, int variant) {
  if (TestSubject().needs_face) return WriteDrawnFace(path, static_cast<float>(2 * variant));
  return WritePortrait(path, kPortraitWidth, kPortraitHeight, static_cast<uint8_t>(99 * variant));
}

SlowSubject::SlowSubject(const TempFolder& folder, unsigned ms) : model(TestSubject().pack) {
  constexpr unsigned kMostSteps = 50;  // of about a millisecond
  if (TestSubject().obeys_faults) {
    model = WriteFakePack(folder.path("slow"), "\"delay_ms\": " + std::to_string(ms));
  } else {
    sampler_steps = std::min(ms, kMostSteps);
  }
}

std::string SlowSubject::Properties() const {
  return "model=" + model + " sampler-steps=" + std::to_string(sampler_steps);
}

}  // namespace talkface::test
