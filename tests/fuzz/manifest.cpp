// SPDX-License-Identifier: MIT
#include <filesystem>

#include "models/core/pack.h"
#include "models/fake/config.h"
#include "models/mftfg/config.h"
#include "tests/engine/memory_file.h"
#include "tests/engine/temporary_folder.h"
#include "tests/fuzz/support.h"

using namespace talkface;

namespace {

// A pack whose manifest is a file in memory.
struct PackFolder {
  PackFolder() { std::filesystem::create_symlink(manifest.path(), folder / "manifest.json"); }
  test::TemporaryFolder folder;
  test::MemoryFile manifest;
};

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const PackFolder place;
  place.manifest.Write(test::Input(data, size));
  test::ReadOrRefuse([] {
    const auto pack = Pack::Open(place.folder.path(), "");
    test::ReadOrRefuse([&] { fake::ReadConfig(*pack); });
    test::ReadOrRefuse([&] { mftfg::ReadConfig(*pack); });
  });
  return 0;
}
