// SPDX-License-Identifier: MIT
// The element's video side: which caps it chooses, and buffers of them that the engine can draw on.
#pragma once

#include <gst/video/video.h>

#include <cstdint>

#include "models/engine.h"

namespace talkface {

constexpr int kMaxVideoSide = 8192;
constexpr int kMaxFrameRate = 120;

// Fixes what `caps` (consumed, not empty) leave open: nearest to a portrait of that size (made
// even), 25 frames a second, square pixels; sRGB for RGB formats, and BT.601 or, above 576 lines,
// BT.709 for YUV ones.
GstCaps* FixateVideoCaps(GstCaps* caps, uint32_t portrait_width, uint32_t portrait_height);

// The engine's description of `info`, which has one of the formats of the source pad's template.
TargetFormat TargetOf(const GstVideoInfo& info);

// Makes `query` hold a buffer pool for its caps: downstream's, or one of our own.
bool DecideVideoAllocation(GstQuery* query);

// A buffer mapped for the engine to draw on. Neither copied nor moved while mapped.
class OutputFrame {
 public:
  OutputFrame() = default;
  ~OutputFrame();
  OutputFrame(const OutputFrame&) = delete;
  OutputFrame& operator=(const OutputFrame&) = delete;

  // Takes a buffer of `pool`; with `wait` false a pool that has none left is GST_FLOW_EOS.
  GstFlowReturn Acquire(GstBufferPool* pool, const GstVideoInfo& info, bool wait);
  FrameTarget Target();
  // Ends the drawing; the caller owns the buffer.
  GstBuffer* Release();

 private:
  GstBuffer* buffer_ = nullptr;
  GstVideoFrame frame_;
};

}  // namespace talkface
