// SPDX-License-Identifier: MIT
#include "models/auwarp/family.h"
#include "models/core/family.h"
#include "models/fake/family.h"

namespace talkface {

const std::vector<FamilyEntry>& Families() {
  static const std::vector<FamilyEntry> families = {
      {"auwarp", &auwarp::OpenFamily},
      {"fake", &fake::OpenFamily},
  };
  return families;
}

}  // namespace talkface
