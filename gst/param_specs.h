// SPDX-License-Identifier: MIT
// Properties that one element passes on to another.
#pragma once

#include <gst/gst.h>

namespace talkface {

// A copy of `spec`, for another class to install: same name, texts, type, range, default and flags,
// but for GST_PARAM_CONTROLLABLE, since control bindings act on the object itself. Null for a type
// that no element here uses.
GParamSpec* CopyParamSpec(GParamSpec* spec);

}  // namespace talkface
