// SPDX-License-Identifier: MIT
#include "models/vision/settings.h"

#include <nlohmann/json.hpp>

namespace talkface::vision {
using nlohmann::json;

void RequireInput(const Pack& pack, const std::string& field, const std::array<int64_t, 3>& shape,
                  int side) {
  if (shape != std::array<int64_t, 3>{side, side, 3}) {
    pack.Reject(field, "the net's own input, " + json(shape).dump(), std::to_string(side));
  }
}

void RequireOutputs(const Pack& pack, const std::string& file, const std::vector<size_t>& got,
                    const std::vector<size_t>& counts) {
  if (got != counts) {
    pack.Reject("files." + file, "a net with outputs of " + json(counts).dump() + " numbers",
                json(got).dump());
  }
}

}  // namespace talkface::vision
