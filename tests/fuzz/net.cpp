// SPDX-License-Identifier: MIT
#include "models/vision/net.h"

#include "tests/fuzz/support.h"
#include "tests/units/support/memory_file.h"

using namespace talkface;

// What takes longer is opened, and not run.
constexpr uint64_t kMostMultiplyAdds = 1 << 20;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const test::MemoryFile file;
  file.Write(test::Input(data, size));
  test::ReadOrRefuse([&] {
    const vision::Net net(SafeTensors::Open(file.path()));
    if (net.MultiplyAdds() > kMostMultiplyAdds) return;
    const auto& [height, width, channels] = net.InputShape();
    const auto outputs = net.Run(std::vector<float>(height * width * channels, 0.5f));
    const std::vector<size_t> counts = net.OutputCounts();
    test::Require(outputs.size() == counts.size(), "each output is given");
    for (size_t i = 0; i < outputs.size(); ++i)
      test::Require(outputs[i].size() == counts[i], "an output is as large as said");
  });
  return 0;
}
