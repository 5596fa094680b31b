// SPDX-License-Identifier: MIT
#include "models/vision/settings.h"

#include <nlohmann/json.hpp>

namespace talkface::vision {
namespace {

using nlohmann::json;

template <typename Number>
std::string Range(Number low, Number high) {
  return json(low).dump() + " to " + json(high).dump();
}

json Field(const Pack& pack, const std::string& field) {
  return pack.settings().value(field, json());
}

}  // namespace

int IntSetting(const Pack& pack, const std::string& field, int low, int high) {
  const json value = Field(pack, field);
  if (!value.is_number_integer() || value < low || value > high) {
    pack.Reject(field, Range(low, high), value.dump());
  }
  return value;
}

float FloatSetting(const Pack& pack, const std::string& field, float low, float high) {
  const json value = Field(pack, field);
  if (!value.is_number() || value < low || value > high) {
    pack.Reject(field, Range(low, high), value.dump());
  }
  return value;
}

std::vector<int> IntListSetting(const Pack& pack, const std::string& field, int low, int high) {
  const json list = Field(pack, field);
  bool good = list.is_array() && !list.empty();
  for (const json& value : list) {
    good = good && value.is_number_integer() && value >= low && value <= high;
  }
  if (!good) pack.Reject(field, "a list of numbers " + Range(low, high), list.dump());
  return list;
}

void RequireInput(const Pack& pack, const std::string& field, const std::array<int64_t, 3>& shape,
                  int side) {
  if (shape != std::array<int64_t, 3>{side, side, 3}) {
    pack.Reject(field, "the net's own input, " + json(shape).dump(), std::to_string(side));
  }
}

void RequireOutputs(const Pack& pack, const std::string& file,
                    const std::vector<std::vector<float>>& outputs,
                    const std::vector<size_t>& counts) {
  std::vector<size_t> got;
  for (const std::vector<float>& output : outputs) got.push_back(output.size());
  if (got != counts) {
    pack.Reject("files." + file, "a net with outputs of " + json(counts).dump() + " numbers",
                json(got).dump());
  }
}

}  // namespace talkface::vision
