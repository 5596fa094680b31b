// SPDX-License-Identifier: MIT
// Packs of the family mftfg: what they tell, what they may bring, and what is wrong with them.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "models/families/mftfg/family.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/mftfg_fixture.h"
#include "tests/units/support/mftfg_pack.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::mftfg {
namespace {

constexpr uint64_t kNsPerMs = 1'000'000;

std::unique_ptr<Family> Open(const std::string& folder, Precision precision = Precision::kFloat32,
                             const std::string& device = "cpu") {
  const auto pack = Pack::Open(folder, "");
  return OpenFamily({*pack, ResolveDevice(*pack, device), precision, "", [](int, const char*) {}});
}

TEST(MftfgPack, TellsWhatItIs) {
  const test::TemporaryFolder folder;
  WriteRandomPack(folder / "small", SmallConfig(Wiring::kCorrected), /*trained=*/true);
  const auto family = Open(folder / "small");
  EXPECT_STREQ(family->info.family, "mftfg");
  EXPECT_EQ(family->info.unit_count, 5u);
  ASSERT_EQ(family->info.option_count, 1u);
  EXPECT_STREQ(family->info.options[0].key, "sampler-steps");
  EXPECT_STREQ(family->info.options[0].default_value, "2");
  EXPECT_EQ(family->info.look_ahead_min_ns, 140 * kNsPerMs);
  EXPECT_EQ(family->info.look_ahead_max_ns, 500 * kNsPerMs);
  EXPECT_FALSE(family->info.scales_expression);
  EXPECT_STREQ(family->info.warning, "");
  EXPECT_GT(family->MemoryUse(), 100'000u);
  EXPECT_LT(Open(folder / "small", Precision::kBfloat16)->MemoryUse(), family->MemoryUse());
  EXPECT_ERROR(Open(folder / "small", Precision::kFloat16), Code::kUnsupported, "float16");
  EXPECT_ERROR(Open(folder / "small", Precision::kAuto, "tpu"), Code::kUnsupported, "'tpu'");
  EXPECT_STREQ(Open(folder / "small", Precision::kAuto, "auto")->info.device, "cpu");
}

TEST(MftfgPack, UntrainedConditioningIsAWarning) {
  const test::TemporaryFolder folder;
  WriteRandomPack(folder / "random", SmallConfig(Wiring::kOfficial), /*trained=*/false);
  const auto family = Open(folder / "random");
  EXPECT_NE(std::string(family->info.warning).find("conditioning: untrained"), std::string::npos);
  EXPECT_EQ(family->info.unit_count, 0u);
}

TEST(MftfgPack, ImportedOnesOpen) {
  const test::TemporaryFolder folder;
  const auto tensors = checkpoint::ReadMftfg(checkpoint::OfficialFiles().Write(folder));
  checkpoint::WriteMftfgPack(tensors, {folder / "paper", "MIT"}, [](uint64_t) {});
  const auto family = Open(folder / "paper");
  EXPECT_EQ(family->info.look_ahead_default_ns, 500 * kNsPerMs);
  EXPECT_NE(std::string(family->info.warning), "");
}

// A pack's manifest, changed.
void Edit(const std::string& folder, const std::function<void(nlohmann::json*)>& change) {
  std::ifstream in(folder + "/manifest.json");
  nlohmann::json manifest = nlohmann::json::parse(in);
  in.close();
  change(&manifest);
  std::ofstream(folder + "/manifest.json") << manifest;
}

TEST(MftfgPack, TimingMustBeTheModels) {
  const test::TemporaryFolder folder;
  WriteRandomPack(folder / "small", SmallConfig(Wiring::kCorrected), /*trained=*/true);
  const auto expect = [&](const char* field, int value, const char* wanted) {
    int before = 0;
    Edit(folder / "small", [&](nlohmann::json* manifest) {
      before = std::exchange((*manifest)["timing"][field], value);
    });
    EXPECT_ERROR(Open(folder / "small"), Code::kBadPack, field, std::to_string(value), wanted);
    Edit(folder / "small",
         [&](nlohmann::json* manifest) { (*manifest)["timing"][field] = before; });
  };
  expect("sample_rate_hz", 8000, "wanted 16000");
  expect("look_ahead_min_ms", 100, "wanted 140 or more");
  expect("look_ahead_max_ms", 540, "wanted 500 or less");
}

TEST(MftfgPack, MayBringItsMeanShape) {
  const test::TemporaryFolder folder;
  WriteRandomPack(folder / "small", SmallConfig(Wiring::kCorrected), /*trained=*/true);
  const auto bring = [&](int64_t rows) {
    const std::vector<float> points(static_cast<size_t>(2 * rows), 1.0f);
    const std::string path = folder / "small/face.safetensors";
    WriteSafeTensors(path, {{"mean_shape", {DType::kF32, {rows, 2}, points.data(), {}}}}, {});
    Edit(folder / "small", [&](nlohmann::json* manifest) {
      (*manifest)["files"]["face"] = {{"file", "face.safetensors"}, {"sha256", FileSha256(path)}};
    });
  };
  bring(68);
  EXPECT_NE(Open(folder / "small"), nullptr);
  bring(48);
  EXPECT_ERROR(Open(folder / "small"), Code::kBadPack, "mean_shape", "49 or more");
}

TEST(MftfgPack, DamagedOnesAreNamed) {
  const test::TemporaryFolder folder;
  Model model = RandomModel(SmallConfig(Wiring::kCorrected));
  checkpoint::MftfgTensors tensors = TensorsOf(model, true);
  tensors.model.erase("model.fc2.bias");
  checkpoint::WriteMftfgPack(tensors, {folder / "lacking", "MIT"}, [](uint64_t) {});
  EXPECT_ERROR(Open(folder / "lacking"), Code::kBadPack, "lacking", "model.fc2.bias");
}

}  // namespace
}  // namespace talkface::mftfg
