// SPDX-License-Identifier: MIT
// The paper's official files at tiny widths, imported and exported.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "models/core/pack.h"
#include "models/training/checkpoint/checkpoint.h"
#include "models/training/checkpoint/mftfg_pack.h"
#include "models/training/checkpoint/pack_export.h"
#include "tests/units/support/checkpoint_fixture.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/mftfg_fixture.h"
#include "tests/units/support/official_keys.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::checkpoint {
namespace {

void WritePack(const MftfgTensors& tensors, const std::string& folder) {
  WriteMftfgPack(tensors, {folder, "MIT"}, [](uint64_t) {});
}

float First(const TensorView& tensor) {
  float value = 0;
  std::memcpy(&value, tensor.data, sizeof value);
  return value;
}

void ExpectSamePacks(const Pack& a, const Pack& b) {
  EXPECT_EQ(a.settings(), b.settings());
  for (const char* part : {"model", "audio2au", "mask"}) {
    EXPECT_EQ(FileSha256(a.Tensors(part)->path()), FileSha256(b.Tensors(part)->path())) << part;
  }
}

TEST(MftfgImport, OfficialFilesMakeAPack) {
  const test::TemporaryFolder folder;
  const MftfgTensors tensors = ReadMftfg(OfficialFiles().Write(folder));
  EXPECT_TRUE(tensors.averaged);
  EXPECT_EQ(tensors.left_out, std::vector<std::string>{"first_stage_model.loss.logvar"});
  uint64_t written = 0;
  WriteMftfgPack(tensors, {folder / "paper", "MIT"}, [&](uint64_t bytes) { written = bytes; });
  EXPECT_EQ(written, tensors.bytes());

  const auto pack = Pack::Open(folder / "paper", "");
  EXPECT_EQ(pack->family(), "mftfg");
  EXPECT_EQ(pack->name(), "paper");
  EXPECT_EQ(pack->timing().look_ahead_max_ms, 500U);
  const auto& section = pack->settings();
  EXPECT_EQ(section.at("wiring"), "official");
  EXPECT_EQ(section.at("conditioning"), "untrained");
  const mftfg::Config sizes = TinySizes();
  EXPECT_EQ(section.at("window_frames"), sizes.window_frames);
  EXPECT_EQ(section.at("image_size"), sizes.image_size);
  EXPECT_EQ(section.at("au_hidden"), sizes.au_hidden);
  EXPECT_EQ(section.at("mask_channels"), sizes.mask_channels);
  EXPECT_EQ(section.at("mask_blocks"), sizes.mask_blocks);
  EXPECT_EQ(section.at("tacn_channels"), sizes.tacn_channels);
  EXPECT_EQ(section.at("attention_heads"), sizes.attention_heads);
  EXPECT_EQ(section.at("first_stage_mult"), sizes.first_stage_mult);
  EXPECT_EQ(section.at("first_stage_blocks"), sizes.first_stage_blocks);
  EXPECT_EQ(section.at("codes"), sizes.codes);
  EXPECT_EQ(section.at("unet_mult"), sizes.unet_mult);
  EXPECT_EQ(section.at("unet_blocks"), sizes.unet_blocks);
  EXPECT_EQ(section.at("unet_head_channels"), 32);
}

TEST(MftfgImport, EveryTensorHasItsOwnValues) {
  const test::TemporaryFolder folder;
  WritePack(ReadMftfg(OfficialFiles().Write(folder)), folder / "paper");
  const auto pack = Pack::Open(folder / "paper", "");
  const mftfg::Config sizes = TinySizes();
  const Shapes attention = AttentionShapes(sizes);
  size_t seen = 0;
  for (const char* part : {"model", "audio2au", "mask"}) {
    for (const auto& [name, tensor] : pack->Tensors(part)->tensors()) {
      ++seen;
      if (attention.count(name) != 0 || tensor.dtype != DType::kF32) continue;
      const bool averaged = name.compare(0, 6, "model.") == 0;
      EXPECT_EQ(First(tensor), ValueOf(averaged ? Averaged(name) : name)) << name;
    }
  }
  EXPECT_EQ(seen, LatentDiffusionShapes(sizes).size() + attention.size() +
                      5 * Audio2AuShapes(sizes).size() + MaskGeneratorShapes(sizes).size());
}

TEST(MftfgImport, RawWeightsCanBeAskedFor) {
  const test::TemporaryFolder folder;
  MftfgFiles files = OfficialFiles().Write(folder);
  files.raw_weights = true;
  WritePack(ReadMftfg(files), folder / "paper");
  const auto model = Pack::Open(folder / "paper", "")->Tensors("model");
  EXPECT_EQ(First(model->Get("model.fc1.weight")), ValueOf("model.fc1.weight"));
}

TEST(MftfgImport, MissingKeysAndValuesStartTheSameEveryTime) {
  const test::TemporaryFolder folder;
  const MftfgFiles files = OfficialFiles().Write(folder);
  const MftfgTensors tensors = ReadMftfg(files);
  EXPECT_FALSE(tensors.trained);
  WritePack(tensors, folder / "a");
  WritePack(ReadMftfg(files), folder / "b");
  const auto pack = Pack::Open(folder / "a", "");
  ExpectSamePacks(*pack, *Pack::Open(folder / "b", ""));
  for (const auto& [name, shape] : AttentionShapes(TinySizes())) {
    const float* weights = pack->Tensors("model")->Floats(name, shape);
    const double count = static_cast<double>(shape[0] * shape[1]);
    const double bound = 1 / std::sqrt(static_cast<double>(shape[1]));
    double sum = 0, squares = 0, largest = 0;
    for (int64_t i = 0; i < shape[0] * shape[1]; ++i) {
      sum += weights[i];
      squares += static_cast<double>(weights[i]) * weights[i];
      largest = std::max(largest, std::abs(static_cast<double>(weights[i])));
    }
    EXPECT_LE(largest, bound * 1.000001) << name;
    EXPECT_NEAR(sum / count, 0, bound * 3 / std::sqrt(count)) << name;
    EXPECT_NEAR(squares / count, bound * bound / 3, bound * bound * 1.5 / std::sqrt(count)) << name;
  }
}

TEST(MftfgImport, KeysAndValuesThatAreThereAreTaken) {
  const test::TemporaryFolder folder;
  OfficialFiles official;
  const Shapes attention = AttentionShapes(TinySizes());
  Add(attention, "", &official.model);
  for (const auto& [name, shape] : attention)
    official.model[Averaged(name)] = Filled(Averaged(name), shape);
  const MftfgTensors tensors = ReadMftfg(official.Write(folder));
  EXPECT_TRUE(tensors.trained);
  WritePack(tensors, folder / "paper");
  const auto pack = Pack::Open(folder / "paper", "");
  EXPECT_EQ(pack->settings().at("conditioning"), "trained");
  const std::string& name = attention.begin()->first;
  EXPECT_EQ(First(pack->Tensors("model")->Get(name)), ValueOf(Averaged(name)));

  official.model.erase(attention.begin()->first);
  official.model.erase(Averaged(attention.begin()->first));
  EXPECT_ERROR(ReadMftfg(official.Write(folder)), Code::kBadPack, "1 missing",
               Averaged(attention.begin()->first));
}

TEST(MftfgImport, AnExportedPackIsImportedAgainUnchanged) {
  const test::TemporaryFolder folder;
  WritePack(ReadMftfg(OfficialFiles().Write(folder)), folder / "a");
  const auto a = Pack::Open(folder / "a", "");
  const size_t count = ExportPack(folder / "a", folder / "exported.pt");
  EXPECT_EQ(count, a->Tensors("model")->tensors().size() +
                       a->Tensors("audio2au")->tensors().size() +
                       a->Tensors("mask")->tensors().size());
  const auto file = Checkpoint::Open(folder / "exported.pt");
  for (const auto& [name, tensor] : file->Tensors("").tensors) {
    EXPECT_NO_THROW(file->CheckData(*tensor));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor->data) % 64, 0U) << name;  // as the mapping is
  }
  MftfgFiles files;
  files.files = {folder / "exported.pt"};
  WritePack(ReadMftfg(files), folder / "b");
  ExpectSamePacks(*a, *Pack::Open(folder / "b", ""));
}

TEST(MftfgImport, WhatIsMissingUnknownOrMisshapenIsListed) {
  const test::TemporaryFolder folder;
  OfficialFiles official;
  official.model.erase("first_stage_model.decoder.mid.attn_1.q.bias");
  official.model.erase("model_ema.fc2bias");
  official.model["model.diffusion_model.input_blocks.9.0.in_layers.0.weight"] = Filled("x", {32});
  official.audio2au[25]["fc2.0.weight"] = Filled("x", {64, 127});
  official.mask["main.4.bias"].dtype = DType::kI32;
  EXPECT_ERROR(ReadMftfg(official.Write(folder)), Code::kBadPack, "2 missing",
               "first_stage_model.decoder.mid.attn_1.q.bias", "model_ema.fc2bias",
               "2 of another shape or type", "audio2AU25_model.fc2.0.weight: 64x127, wanted 64x128",
               "mask_model.main.4.bias: of type I32", "1 unknown",
               "model.diffusion_model.input_blocks.9.0.in_layers.0.weight");
}

TEST(MftfgImport, AnotherModelsSizesAreRefused) {
  const test::TemporaryFolder folder;
  OfficialFiles without;
  without.model.erase("model.tacn.network.0.att.w_qs.weight");
  EXPECT_ERROR(ReadMftfg(without.Write(folder)), Code::kBadPack, "w_qs.weight is missing");
  OfficialFiles flat;
  flat.model["model.diffusion_model.input_blocks.0.0.weight"] = Filled("x", {});
  EXPECT_ERROR(ReadMftfg(flat.Write(folder)), Code::kBadPack, "no usable shape");
  OfficialFiles other;
  other.model["betas"] = Betas(.0001);
  EXPECT_ERROR(ReadMftfg(other.Write(folder)), Code::kBadPack, "noise schedule");
}

TEST(MftfgImport, MissingPartsAreNamed) {
  const test::TemporaryFolder folder;
  MftfgFiles files = OfficialFiles().Write(folder);
  files.files.pop_back();
  files.files.erase(files.files.begin() + 2);
  EXPECT_ERROR(ReadMftfg(files), Code::kInvalid, "Audio2AU of AU14", "the mask generator");
  files.files.push_back(files.files[1]);
  EXPECT_ERROR(ReadMftfg(files), Code::kInvalid, "give each part once", "AU10_best.pt");
}

TEST(MftfgImport, AFileOfSomethingElseIsRefused) {
  const test::TemporaryFolder folder;
  MftfgFiles files;
  files.files = {folder / "resnet.pt"};
  WriteCheckpoint(folder / "resnet.pt", {{"layer1.weight", Filled("x", {2})}});
  EXPECT_ERROR(ReadMftfg(files), Code::kBadPack, "resnet.pt", "none of the model's parts",
               "layer1.weight");
  test::WriteBytes(folder / "resnet.pt", test::Container(test::DictOf("cevil\nNet\n)R")));
  EXPECT_ERROR(ReadMftfg(files), Code::kBadPack, "holds no tensors", "w: evil.Net");
}

TEST(MftfgImport, TheActionUnitIsInTheNameOrSaid) {
  EXPECT_EQ(UnitOfFileName("/au10/Audio2AU_AU25.pt"), 25);
  EXPECT_EQ(UnitOfFileName("audio2au14_epoch20.pt"), 14);
  EXPECT_EQ(UnitOfFileName("best_au-26.pt"), 26);
  EXPECT_ERROR(UnitOfFileName("Audio2AU.pt"), Code::kInvalid, "tells none", "--audio2au");
  EXPECT_ERROR(UnitOfFileName("AU12.pt"), Code::kInvalid, "tells none");
  EXPECT_ERROR(UnitOfFileName("AU10_AU14.pt"), Code::kInvalid, "more than one");

  const test::TemporaryFolder folder;
  MftfgFiles files = OfficialFiles().Write(folder);
  std::filesystem::rename(files.files[1], folder / "best.pt");
  files.files.erase(files.files.begin() + 1);
  files.audio2au[10] = folder / "best.pt";
  WritePack(ReadMftfg(files), folder / "paper");
  const auto audio2au = Pack::Open(folder / "paper", "")->Tensors("audio2au");
  EXPECT_EQ(First(audio2au->Get("audio2AU10_model.fc2.0.bias")),
            ValueOf("audio2AU10_model.fc2.0.bias"));
  files.audio2au[10] = files.files.back();
  EXPECT_ERROR(ReadMftfg(files), Code::kInvalid, "no Audio2AU checkpoint");
}

auto FilesIn(const test::TemporaryFolder& folder) {
  const auto files = std::filesystem::directory_iterator(folder.path());
  return std::distance(begin(files), end(files));
}

TEST(MftfgImport, NoPackIsBetterThanHalfOfOne) {
  const test::TemporaryFolder folder;
  const MftfgFiles files = OfficialFiles().Write(folder);
  const auto before = FilesIn(folder);
  // The last of the written files is the mask generator; a bit of its last weights is wrong.
  std::string bytes = test::ReadBytes(files.files.back());
  const float value = ValueOf("mask_model.main.7.weight");
  const size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&value), sizeof value));
  ASSERT_NE(at, std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  test::WriteBytes(files.files.back(), bytes);
  EXPECT_ERROR(WritePack(ReadMftfg(files), folder / "paper"), Code::kBadPack, "generator.tar",
               "checksum differs");
  EXPECT_EQ(FilesIn(folder), before);
}

TEST(MftfgImport, AFolderThatExistsIsLeftAlone) {
  const test::TemporaryFolder folder;
  const MftfgTensors tensors = ReadMftfg(OfficialFiles().Write(folder));
  folder.Write("paper/notes.txt", "mine");
  EXPECT_ERROR(WritePack(tensors, folder / "paper"), Code::kInvalid, "exists already");
  EXPECT_ERROR(WritePack(tensors, "/proc/paper"), Code::kFailed, "/proc/paper");
  EXPECT_EQ(test::ReadBytes(folder / "paper/notes.txt"), "mine");
}

TEST(MftfgImport, TheFullSizesAreTheOfficialOnes) {
  const mftfg::Config sizes;
  std::map<std::string, Shapes> wanted;
  wanted["LatentDiffusion"] = LatentDiffusionShapes(sizes);
  const Shapes attention = AttentionShapes(sizes);
  wanted["LatentDiffusion"].insert(attention.begin(), attention.end());
  wanted["Audio2AU"] = Audio2AuShapes(sizes);
  wanted["Generator"] = MaskGeneratorShapes(sizes);
  std::map<std::string, Shapes> listed;
  std::set<std::string> absent;
  for (const auto& [module, keys] : ReadOfficialKeys(TALKFACE_OFFICIAL_KEYS)) {
    for (const auto& [name, key] : keys) {
      if (key.absent) absent.insert(name);
      const bool of_training = name.compare(0, 10, "model_ema.") == 0;
      if (of_training || name.find('.') == std::string::npos) continue;  // EMA, and the schedule
      listed[module][CanonicalName(name)] = key.shape;
    }
  }
  EXPECT_EQ(listed, wanted);
  std::set<std::string> made_anew;
  for (const auto& [name, shape] : attention) made_anew.insert(name);
  EXPECT_EQ(absent, made_anew);
}

}  // namespace
}  // namespace talkface::checkpoint
