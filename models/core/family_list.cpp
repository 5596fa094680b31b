// SPDX-License-Identifier: MIT
#include "models/core/family.h"
#include "models/fake/family.h"

namespace talkface {

const std::vector<FamilyEntry>& Families() {
  static const std::vector<FamilyEntry> families = {
      {"fake", &fake::OpenFamily},
  };
  return families;
}

}  // namespace talkface
