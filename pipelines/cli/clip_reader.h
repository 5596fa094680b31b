// SPDX-License-Identifier: MIT
// Reads a video clip with sound, frame by frame.
#pragma once

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/engine.h"

namespace talkface::cli {

class ClipReader {
 public:
  explicit ClipReader(const std::string& path);  // throws Error: the file cannot be opened
  ~ClipReader();
  ClipReader(const ClipReader&) = delete;
  ClipReader& operator=(const ClipReader&) = delete;

  // Decodes the clip, giving every picture to `see` with its time in seconds from the first one.
  // Throws Error for a clip that is damaged, or without picture or sound (known before the first
  // call), and whatever `see` throws.
  void Read(const std::function<void(const Pixels& picture, double seconds)>& see);
  // After Read: the sound, 16 kHz mono, cut or led by silence so that it starts with the first
  // picture.
  std::vector<int16_t> Sound() const;

 private:
  static void OnPadAdded(GstElement* source, GstPad* pad, gpointer user);
  static void OnNoMorePads(GstElement* source, gpointer user);
  void ThrowBusError();  // if there is one
  void WaitForStreams();
  void TakeSound();  // what has been decoded by now

  std::string path_;
  GstElement* pipeline_ = nullptr;
  GstAppSink *pictures_ = nullptr, *sounds_ = nullptr;  // hold a reference each
  std::atomic<bool> has_pictures_{false}, has_sound_{false}, streams_known_{false};
  std::vector<int16_t> samples_;
  GstClockTime first_picture_ = GST_CLOCK_TIME_NONE, first_sound_ = GST_CLOCK_TIME_NONE;
};

}  // namespace talkface::cli
