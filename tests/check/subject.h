// SPDX-License-Identifier: MIT
// The model that the elements' tests run, and what they may expect of its family.
#pragma once

#include <gst/gst.h>

#include <string>

#include "tests/check/support.h"

namespace talkface::test {

// One for each pack that the tests know. It is chosen by TALKFACE_TEST_MODEL, "fake" if that is
// unset. With TALKFACE_TEST_WHOLE set none is spared for want of quickness.
struct Subject {
  const char* pack;  // as the property `model` takes it
  GstClockTime look_ahead, look_ahead_max;
  GstClockTime memory;     // how long before its own time a frame may hear speech
  bool quick;              // frames cost next to nothing, so that many may be drawn; what no model
                           // has a part in is tested with such a subject alone
  bool hashes_samples;     // each frame is a checksum of exactly the samples it may use
  bool obeys_faults;       // its pack's settings make it slow, or fail
  bool scales_expression;  // expression-gain has an effect
  bool needs_face;         // a portrait must show one
};

// Ends the program, with a message, where the variable names another pack.
const Subject& TestSubject();

// What look-aheads of all subjects round up to: frame n leaves when n x 40 ms + this of audio are
// here, and not with 20 ms less.
constexpr GstClockTime kAudioAhead = 200 * GST_MSECOND;

// A length of speech, in ms and multiples of 40, for tests that need no certain one.
unsigned SomeSpeechMs();

constexpr int kPortraitWidth = 96, kPortraitHeight = 128;
// Writes a portrait that the subject accepts, of that size; PNG. Other variants are other
// portraits. Returns `path`.
std::string WriteSubjectPortrait(const std::string& path, int variant = 0);

// The subject, so slow that a frame takes `ms` if it obeys, else as slow as it gets by itself, of
// that order. `folder` holds what it needs for that.
struct SlowSubject {
  SlowSubject(const TempFolder& folder, unsigned ms);
  std::string model;
  guint sampler_steps = 0;
  // For launch lines.
  std::string Properties() const;
};

}  // namespace talkface::test
