// SPDX-License-Identifier: MIT
// What the elements say on the bus. None of these may be called with the object lock held.
#pragma once

#include <gst/gst.h>

#include "models/engine.h"

namespace talkface {

// An engine's Status as an error message: domain and code follow from its Code, the text is its
// sentence, the debug text its detail. A Status that is kOk posts nothing.
void PostStatus(GstElement* element, const Status& status);
// The same as a warning: the element goes on.
void PostWarning(GstElement* element, const Status& status);
// `error` as an error message, or as a warning.
void PostError(GstElement* element, const GError* error);
void PostWarning(GstElement* element, const GError* error);

// A progress message; `code` is a word for programs ("load-model"), `text` a sentence for people.
void PostProgress(GstElement* element, GstProgressType type, const char* code, const char* text);

struct FrameMessage {
  GstClockTime timestamp, stream_time, running_time, duration;
  guint64 frame;  // counted from 0 within the segment
  bool idle;
  const ActionUnit* units;  // `unit_count` of them; none for a family without action units
  const float* intensities;
  uint32_t unit_count;
};

// Posts the element message "talkfacegen": timestamp, stream-time, running-time, duration, frame
// (uint64), idle (boolean) and action-units, a structure with one double (0..5) per unit: au10, ...
void PostFrame(GstElement* element, const FrameMessage& frame);

// The tag that says of the stream that it is synthetic media, after IPTC's digital source types;
// the caller owns it.
GstTagList* SyntheticMediaTags();

}  // namespace talkface
