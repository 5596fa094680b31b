// SPDX-License-Identifier: MIT
// Stands in for net.cpp in a build without libtorch: every way to a net ends in one clear error.
#include "models/core/error.h"
#include "models/vision/net.h"

namespace talkface::vision {

struct Net::Graph {};

void Net::RequireRuntime() {
  throw Error(Code::kUnsupported,
              "Faces cannot be found: this engine was built without libtorch; run "
              "scripts/setup.sh and build again.");
}

Net::Net(std::shared_ptr<const SafeTensors>) { RequireRuntime(); }
Net::~Net() = default;

std::vector<std::vector<float>> Net::Run(const std::vector<float>&) const {
  RequireRuntime();
  return {};
}

const std::array<int64_t, 3>& Net::InputShape() const {
  static const std::array<int64_t, 3> kNone{};
  return kNone;
}

uint64_t Net::MemoryUse() const { return 0; }

}  // namespace talkface::vision
