// SPDX-License-Identifier: MIT
#pragma once

#include <gst/gst.h>

namespace talkface::cli {

// Makes up for an encoder of sound that puts `samples` of silence before what it is given and
// stamps them as if they were the sound (avenc_aac; in the file the voice would be late by them, 64
// ms at 16 kHz): the first `samples` are left out, and the rest is stamped that much earlier. Call
// it once, before the encoder gets data.
void AdvanceSound(GstElement* encoder, int samples);

}  // namespace talkface::cli
