// SPDX-License-Identifier: MIT
// Writes the packs that the element's tests run: random_packs CORRECTED OFFICIAL LIVE. The last is
// the first with a shorter look-ahead of its own, and as quick as it gets.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/units/support/mftfg_pack.h"

namespace {

void SetDefaultLookAhead(const std::string& folder, int ms) {
  const std::string path = folder + "/manifest.json";
  nlohmann::json manifest = nlohmann::json::parse(std::ifstream(path));
  manifest["timing"]["look_ahead_default_ms"] = ms;
  std::ofstream(path) << manifest.dump(2);
}

}  // namespace

int main(int count, char** arguments) {
  using namespace talkface::mftfg;
  if (count != 4) {
    std::fprintf(stderr, "usage: %s CORRECTED OFFICIAL LIVE\n", arguments[0]);
    return 2;
  }
  for (int i = 1; i < count; ++i) std::filesystem::remove_all(arguments[i]);
  WriteRandomPack(arguments[1], SmallConfig(Wiring::kCorrected), /*trained=*/true);
  WriteRandomPack(arguments[2], SmallConfig(Wiring::kOfficial), /*trained=*/false);
  Config quick = SmallConfig(Wiring::kCorrected);
  quick.sampler_steps = 1;
  WriteRandomPack(arguments[3], quick, /*trained=*/true);
  SetDefaultLookAhead(arguments[3], 180);
  return 0;
}
