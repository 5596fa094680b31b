// SPDX-License-Identifier: MIT
// What callers hand in, checked and copied: none of it is trusted to be there, or to be possible.
// Each throws Error{kInvalid} that names the argument, or what is said otherwise.
#pragma once

#include <memory>

#include "models/core/family.h"
#include "models/engine.h"

namespace talkface {

// Strings that may be null are not null afterwards.
EngineOptions ReadEngineOptions(const EngineOptions* options);
// `name` is the picture's in messages.
Pixels ReadPicture(const Pixels* picture, const char* name);
FaceInfo ReadFaceInfo(const FaceInfo* face, const char* name);
SceneSettings ReadScene(const SceneOptions* options, const EngineInfo& info);

// All of a job but its scene and controls, for a scene of that format. Throws Error{kUnsupported}
// for memory that the family does not draw into, and for a base frame where it draws on none.
RenderItem ReadItem(const Job& job, const TargetFormat& format, const EngineInfo& info);

}  // namespace talkface
