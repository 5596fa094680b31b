// SPDX-License-Identifier: MIT
#include "models/core/family.h"

// The families in the engine, a line each: the name in a manifest, which is also that of the
// family's folder and of its namespace.
#define TALKFACE_FAMILIES(FAMILY) \
  FAMILY(auwarp)                  \
  FAMILY(fake)

#define TALKFACE_DECLARE(name)                                            \
  namespace talkface::name {                                              \
  std::string ResolveDevice(const Pack& pack, const std::string& device); \
  std::unique_ptr<Family> OpenFamily(const FamilyContext& context);       \
  }
#define TALKFACE_ENTRY(name) {#name, &name::ResolveDevice, &name::OpenFamily},

TALKFACE_FAMILIES(TALKFACE_DECLARE)

namespace talkface {

const std::vector<FamilyEntry>& Families() {
  static const std::vector<FamilyEntry> families = {TALKFACE_FAMILIES(TALKFACE_ENTRY)};
  return families;
}

// Those in libraries of their own; families/torch_library.cpp lists libtorch's once more, for the
// library itself.
const std::vector<FamilyLibrary>& FamilyLibraries() {
  static const std::vector<FamilyLibrary> libraries = {
      {"mftfg", "libtalkface-torch.so", "TALKFACE_TORCH", "libtorch_cpu.so", "talkface-torch",
       "scripts/setup.sh --torch"},
  };
  return libraries;
}

}  // namespace talkface
