// SPDX-License-Identifier: MIT
// talkfacegen: speech and a portrait in, video of the portrait speaking out.
#pragma once

#include <gst/base/gstaggregator.h>

G_BEGIN_DECLS

#define GST_TYPE_TALK_FACE_GEN (gst_talk_face_gen_get_type())
G_DECLARE_FINAL_TYPE(GstTalkFaceGen, gst_talk_face_gen, GST, TALK_FACE_GEN, GstAggregator)

GST_ELEMENT_REGISTER_DECLARE(talkfacegen)

G_END_DECLS
