// SPDX-License-Identifier: MIT
#include "models/core/family.h"
#include "models/families/auwarp/family.h"
#include "models/families/fake/family.h"
#ifdef TALKFACE_WITH_TORCH
#include "models/families/mftfg/family.h"
#endif

namespace talkface {

const std::vector<FamilyEntry>& Families() {
  static const std::vector<FamilyEntry> families = {
      {"auwarp", &auwarp::ResolveDevice, &auwarp::OpenFamily},
      {"fake", &fake::ResolveDevice, &fake::OpenFamily},
#ifdef TALKFACE_WITH_TORCH
      {"mftfg", &mftfg::ResolveDevice, &mftfg::OpenFamily},
#endif
  };
  return families;
}

}  // namespace talkface
