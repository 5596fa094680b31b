// SPDX-License-Identifier: MIT
// The list of families: a line in one of the two tables is all that a new one needs here.
#include "models/core/family.h"
#include "models/families/auwarp/family.h"
#include "models/families/fake/family.h"

namespace talkface {

const std::vector<FamilyEntry>& Families() {
  static const std::vector<FamilyEntry> families = {
      {"auwarp", &auwarp::ResolveDevice, &auwarp::OpenFamily},
      {"fake", &fake::ResolveDevice, &fake::OpenFamily},
  };
  return families;
}

const std::vector<FamilyLibrary>& FamilyLibraries() {
  static const std::vector<FamilyLibrary> libraries = {
      {"mftfg", "libtalkface-torch.so", "TALKFACE_TORCH", "libtorch_cpu.so", "talkface-torch",
       "scripts/setup.sh --torch"},
  };
  return libraries;
}

}  // namespace talkface
