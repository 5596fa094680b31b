// SPDX-License-Identifier: MIT
// Writes the packs that the element's tests run: random_packs CORRECTED OFFICIAL.
#include <cstdio>
#include <filesystem>

#include "tests/engine/mftfg_pack.h"

int main(int count, char** arguments) {
  using namespace talkface::mftfg;
  if (count != 3) return std::fprintf(stderr, "usage: %s CORRECTED OFFICIAL\n", arguments[0]), 2;
  for (int i = 1; i < count; ++i) std::filesystem::remove_all(arguments[i]);
  WriteRandomPack(arguments[1], SmallConfig(Wiring::kCorrected), /*trained=*/true);
  WriteRandomPack(arguments[2], SmallConfig(Wiring::kOfficial), /*trained=*/false);
  return 0;
}
