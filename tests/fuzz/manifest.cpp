// SPDX-License-Identifier: MIT
#include <filesystem>

#include "models/core/pack.h"
#include "models/families/fake/config.h"
#include "models/families/mftfg/config.h"
#include "tests/fuzz/support.h"
#include "tests/units/support/memory_file.h"
#include "tests/units/support/temporary_folder.h"

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
