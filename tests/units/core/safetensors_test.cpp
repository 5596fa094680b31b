// SPDX-License-Identifier: MIT
#include "models/core/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/units/support/expect_error.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface {
namespace {

std::string FileWith(const std::string& header, size_t data_bytes) {
  std::string content(8, '\0');
  const uint64_t length = header.size();
  std::memcpy(content.data(), &length, 8);
  return content + header + std::string(data_bytes, '\1');
}

TEST(SafeTensors, WhatIsWrittenIsReadBack) {
  const test::TemporaryFolder folder;
  const float weights[6] = {1, 2, 3, 4, 5, 6};
  const uint8_t bytes[3] = {7, 8, 9};
  WriteSafeTensors(
      folder / "a.safetensors",
      {{"bytes", {DType::kU8, {3}, bytes}}, {"weights", {DType::kF32, {2, 3}, weights}}},
      {{"made by", "a test"}});
  const auto file = SafeTensors::Open(folder / "a.safetensors");
  EXPECT_EQ(file->metadata().at("made by"), "a test");
  EXPECT_EQ(std::memcmp(file->Floats("weights", {2, 3}), weights, sizeof weights), 0);
  EXPECT_EQ(file->Get("bytes").Count(), 3);
  EXPECT_EQ(std::memcmp(file->Get("bytes").data, bytes, 3), 0);
}

// Other readers refuse gaps; ours refuses tensors that are not aligned.
TEST(SafeTensors, TensorsFollowEachOtherWithoutGaps) {
  const test::TemporaryFolder folder;
  const uint8_t bytes[3] = {7, 8, 9};
  const float weight = 1;
  const double wide[2] = {2, 3};
  TensorSource produced{DType::kF32, {3}, nullptr};
  produced.produce = [](std::ostream& out) { out.write("abcdefghijkl", 12); };
  WriteSafeTensors(folder / "a.safetensors",
                   {{"a", {DType::kU8, {3}, bytes}},
                    {"b", {DType::kF32, {}, &weight}},
                    {"c", {DType::kF64, {2}, wide}},
                    {"d", produced}},
                   {});
  const auto file = SafeTensors::Open(folder / "a.safetensors");
  std::map<const char*, uint64_t> by_place;
  for (const auto& [name, tensor] : file->tensors())
    by_place[static_cast<const char*>(tensor.data)] = tensor.bytes;
  const char* end = by_place.begin()->first;
  for (const auto& [start, size] : by_place) {
    EXPECT_EQ(start, end);
    end = start + size;
  }
  EXPECT_EQ(std::memcmp(file->Get("d").data, "abcdefghijkl", 12), 0);
  EXPECT_EQ(std::memcmp(file->Get("c").data, wide, sizeof wide), 0);
}

TEST(SafeTensors, AMissingOrMisshapenTensorIsNamed) {
  const test::TemporaryFolder folder;
  const float weights[6] = {};
  WriteSafeTensors(folder / "a.safetensors", {{"conv.weight", {DType::kF32, {2, 3}, weights}}}, {});
  const auto file = SafeTensors::Open(folder / "a.safetensors");
  EXPECT_ERROR(file->Get("bias"), Code::kBadPack, "a.safetensors", "bias");
  EXPECT_ERROR(file->Floats("conv.weight", {3, 2}), Code::kBadPack, "conv.weight", "2x3", "3x2");
}

TEST(SafeTensors, DamagedFilesAreRefused) {
  const test::TemporaryFolder folder;
  struct Case {
    const char* name;
    std::string content;
    const char* said;
  };
  const Case cases[] = {
      {"empty", "", "0 bytes"},
      {"short", "1234567", "7 bytes"},
      {"long header", std::string(8, '\x7f') + "{}", "header claims"},
      {"text", FileWith("no json at all", 0), "header is not valid"},
      {"list", FileWith("[]", 0), "header is [], wanted an object"},
      {"no fields", FileWith(R"({"w":{}})", 0), "w.dtype is missing"},
      {"no tensor", FileWith(R"({"w":7})", 0), "w is 7, wanted an object"},
      {"twice", FileWith(R"({"__metadata__":{"a":"1","a":"2"}})", 0), "'a' twice"},
      {"metadata", FileWith(R"({"__metadata__":{"a":1}})", 0),
       "__metadata__.a is 1, wanted a text"},
      {"deep", FileWith(R"({"w":)" + std::string(100'000, '['), 0), "nested deeper"},
      {"cut", FileWith(R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 8),
       "outside the file"},
      {"backwards", FileWith(R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}})", 16),
       "outside the file"},
      {"size", FileWith(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}})", 16),
       "wanted 12"},
      {"negative", FileWith(R"({"w":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}})", 16),
       "w.shape is [-4]"},
      {"fraction", FileWith(R"({"w":{"dtype":"F32","shape":[2.5],"data_offsets":[0,10]}})", 16),
       "w.shape is [2.5]"},
      {"infinite", FileWith(R"({"w":{"dtype":"F32","shape":[2,1e300],"data_offsets":[0,8]}})", 16),
       "w.shape is [2,1e+300], wanted up to"},
      {"no shape", FileWith(R"({"w":{"dtype":"F32","shape":{"0":4},"data_offsets":[0,16]}})", 16),
       "w.shape is {"},
      {"negative offset",
       FileWith(R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[-1,1e30]}})", 16),
       "w.data_offsets is [-1,1e+30], wanted 2 numbers, each 0 to"},
      {"huge offset",
       FileWith(R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,18446744073709551615]}})", 16),
       "w.data_offsets is [0,18446744073709551615], wanted 2 numbers"},
      {"overflow",
       FileWith(R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16]}})",
                16),
       "impossible shape"},
      {"type", FileWith(R"({"w":{"dtype":"C64","shape":[2],"data_offsets":[0,16]}})", 16), "C64"},
  };
  for (const Case& damaged : cases) {
    const std::string path = folder.Write(damaged.name, damaged.content);
    EXPECT_ERROR(SafeTensors::Open(path), Code::kBadPack, path, damaged.said);
  }
  EXPECT_ERROR(SafeTensors::Open(folder / "absent"), Code::kNotFound, "absent", "No such file");
}

TEST(SafeTensors, AnUnwritablePathIsNamed) {
  const float weight = 1;
  EXPECT_ERROR(WriteSafeTensors("/nowhere/a.safetensors", {{"w", {DType::kF32, {1}, &weight}}}, {}),
               Code::kFailed, "/nowhere/a.safetensors");
}

}  // namespace
}  // namespace talkface
