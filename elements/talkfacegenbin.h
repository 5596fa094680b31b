// SPDX-License-Identifier: MIT
// The element talkfacegenbin: talkfacegen and its speech, as two streams that fit.
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_TALK_FACE_GEN_BIN (gst_talk_face_gen_bin_get_type())
G_DECLARE_FINAL_TYPE(GstTalkFaceGenBin, gst_talk_face_gen_bin, GST, TALK_FACE_GEN_BIN, GstBin)
GST_ELEMENT_REGISTER_DECLARE(talkfacegenbin)

G_END_DECLS
