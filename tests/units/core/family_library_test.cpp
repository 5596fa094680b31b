// SPDX-License-Identifier: MIT
// Families in libraries of their own: what is said where such a library cannot be had.
#include "models/core/family_library.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "models/core/open.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface {
namespace {

constexpr char kManifest[] = R"({"schema":1,"name":"painted","family":"mftfg","version":"1",
  "licence":"MIT","timing":{"sample_rate_hz":16000,"hop_samples":160,"look_behind_ms":0,
  "look_ahead_min_ms":0,"look_ahead_default_ms":200,"look_ahead_max_ms":400},"mftfg":{}})";

class FamilyLibraryTest : public testing::Test {
 protected:
  FamilyLibraryTest() { folder_.Write("painted/manifest.json", kManifest); }
  ~FamilyLibraryTest() override { unsetenv("TALKFACE_TORCH"); }

  static void Use(const char* library) { setenv("TALKFACE_TORCH", library, 1); }
  std::shared_ptr<const Pack> ThePack() const { return Pack::Open("painted", folder_.path()); }
  // The "error" that the list of packs has for the pack.
  std::string Listed() const {
    std::string error = "not listed";
    const auto visit = [](void* user, const char* text) {
      const nlohmann::json facts = nlohmann::json::parse(text);
      if (facts["name"] == "painted") *static_cast<std::string*>(user) = facts["error"];
    };
    ListPacks(folder_.path(), visit, &error);
    return error;
  }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(FamilyLibraryTest, OneLineSaysWhichIsAbsentAndWhatBringsIt) {
  Use("/nowhere/libtalkface-torch.so");
  const std::string line =
      "Pack 'painted' is of the family 'mftfg', which needs libtalkface-torch.so, and "
      "'/nowhere/libtalkface-torch.so' is not there: install the package talkface-torch, or run "
      "scripts/setup.sh --torch where you built talkface, and build it again.";
  EXPECT_ERROR(FamilyOf(*ThePack()), Code::kNotFound, line);
  EXPECT_EQ(Listed(), line);
}

TEST_F(FamilyLibraryTest, AMissingLibtorchIsNamed) {
  Use(NEEDY_FAMILIES);  // links libtorch_cpu.so, and finds none
  EXPECT_EQ(Listed(), "");
  EXPECT_ERROR(FamilyOf(*ThePack()), Code::kNotFound, "libtorch_cpu.so");
  EXPECT_ERROR(FamilyOf(*ThePack()), Code::kNotFound, "talkface-torch");
}

TEST_F(FamilyLibraryTest, ALibraryOfAnotherReleaseIsRefused) {
  Use(OLD_FAMILIES);
  EXPECT_ERROR(FamilyOf(*ThePack()), Code::kUnsupported, "another release");
  Use(STRANGER_LIBRARY);
  EXPECT_ERROR(FamilyOf(*ThePack()), Code::kUnsupported, STRANGER_LIBRARY);
}

TEST_F(FamilyLibraryTest, AnotherLibtorchInTheProcessIsNamed) {
  // Has the soname of libtorch and none of its functions, as another version would.
  ASSERT_NE(dlopen(OTHER_TORCH, RTLD_NOW | RTLD_LOCAL), nullptr) << dlerror();
  Use(NEEDY_FAMILIES);
  EXPECT_ERROR(FamilyOf(*ThePack()), Code::kUnsupported, OTHER_TORCH);
}

TEST_F(FamilyLibraryTest, AFamilyThatNobodyHasIsNamed) {
  test::TemporaryFolder folder;
  std::string manifest = kManifest;
  manifest.replace(manifest.find("mftfg"), 5, "opera");
  folder.Write("painted/manifest.json", manifest);
  EXPECT_ERROR(FamilyOf(*Pack::Open("painted", folder.path())), Code::kUnsupported, "'opera'");
}

}  // namespace
}  // namespace talkface
