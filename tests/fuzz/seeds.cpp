// SPDX-License-Identifier: MIT
// Writes the first inputs of each fuzz target, small, valid or once a finding: seeds
// tests/fuzz/corpus
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/families/mftfg/config.h"
#include "models/training/clips/prepared_clip.h"
#include "tests/check/image_bytes.h"
#include "tests/units/support/checkpoint_fixture.h"

namespace talkface::test {
namespace {

// Writes TARGET/NAME below one folder.
class Corpora {
 public:
  explicit Corpora(const std::string& folder) : folder_(folder) {}
  std::string Path(const std::string& target, const std::string& name) const {
    std::filesystem::create_directories(folder_ + "/" + target);
    return folder_ + "/" + target + "/" + name;
  }
  void Add(const std::string& target, const std::string& name, const std::string& bytes) const {
    WriteBytes(Path(target, name), bytes);
  }

 private:
  std::string folder_;
};

void AddCheckpoints(const Corpora& corpora) {
  const std::pair<const char*, std::string> pickles[] = {
      {"tensor", DictOf(Tensor(Storage(6), 0, {2, 3}, {3, 1}))},
      {"transposed", DictOf(Tensor(Storage(6), 0, {3, 2}, {1, 3}))},
      {"huge_stride", DictOf(Tensor(Storage(6), 0, {2, 1}, {2, INT64_MAX}))},
      {"empty", DictOf(Tensor(Storage(6), 6, {0, 3}, {3, 1}))},
      {"parameter", DictOf("ctorch._utils\n_rebuild_parameter\n(" +
                           Tensor(Storage(6), 1, {4}, {1}) + "\x88NtR")},
      {"object", DictOf("cevil\nThing\n)\x81}" + Text("a") + "K\1sb" + Text("b") + "K\2s")},
      {"ordered", std::string("\x80\x02") + "ccollections\nOrderedDict\nq\1](" + Text("w") +
                      "N\x86" + Text("v") + "K\1\x86" + "e\x85q\2R."},
      {"framed", std::string("\x80\x04\x95\x0d\0\0\0\0\0\0\0", 11) + "\x8c\1s\x94\x8c\1t\x93)R."},
  };
  for (const auto& [name, pickle] : pickles) {
    corpora.Add("pickle", name, pickle);
    corpora.Add("checkpoint", name, Container(pickle));
  }
  const std::string inner = DictOf(Tensor(Storage(6), 0, {6}, {1}));
  corpora.Add(
      "checkpoint", "state_dict",
      Container("\x80\x02}" + Text("state_dict") + inner.substr(2, inner.size() - 3) + "s."));
  corpora.Add("zip", "two", Zip({{"m/a", "x"}, {"m/b", "yy"}}));
  corpora.Add("zip", "none", Zip({}));
  corpora.Add("zip", "commented",
              Zip({{"a", ""}}).replace(Zip({{"a", ""}}).size() - 2, 2, "\2", 2) + "hi");
}

void AddSafetensors(const Corpora& corpora) {
  const float weights[6] = {1, 2, 3, 4, 5, 6};
  const uint8_t bytes[3] = {7, 8, 9};
  WriteSafeTensors(
      corpora.Path("safetensors", "two"),
      {{"bytes", {DType::kU8, {3}, bytes}}, {"weights", {DType::kF32, {2, 3}, weights}}},
      {{"made by", "a test"}});
  WriteSafeTensors(corpora.Path("safetensors", "none"), {}, {});
  const std::string header = R"({"w":{"dtype":"F32","shape":[2,1e300],"data_offsets":[-1,1e30]}})";
  corpora.Add("safetensors", "huge_numbers",
              std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header);
  auwarp::PreparedClip clip;
  clip.audio.resize(100);
  clip.fps = 25;
  WritePreparedClip(corpora.Path("safetensors", "clip"), clip);
}

void AddManifests(const Corpora& corpora) {
  nlohmann::json manifest = {{"schema", 1},      {"name", "p"},      {"family", "fake"},
                             {"version", "0.1"}, {"licence", "MIT"}, {"fake", {{"delay_ms", 3}}}};
  corpora.Add("manifest", "fake", manifest.dump());
  manifest["timing"] = {{"sample_rate_hz", 16000},    {"hop_samples", 320},
                        {"look_behind_ms", 0},        {"look_ahead_min_ms", 0},
                        {"look_ahead_default_ms", 1}, {"look_ahead_max_ms", 2}};
  manifest["family"] = "mftfg";
  manifest["mftfg"] = mftfg::SettingsOf({});
  corpora.Add("manifest", "mftfg", manifest.dump());
  manifest["files"]["speech"] = {{"file", "manifest.json"}, {"sha256", std::string(64, '0')}};
  corpora.Add("manifest", "files", manifest.dump());
}

// A net of every kind of op, and ones whose parts do not fit together.
void AddNets(const Corpora& corpora) {
  using nlohmann::json;
  const float weights[72] = {1, -1, 0.5f};
  const auto add = [&](const char* name, const json& ops, std::vector<int> outputs) {
    const json graph = {{"input", {5, 4, 3}}, {"outputs", outputs}, {"ops", ops}};
    WriteSafeTensors(corpora.Path("net", name),
                     {{"c", {DType::kF32, {2, 3, 3, 2}, weights, {}}},
                      {"d", {DType::kF32, {2, 1, 3, 3}, weights, {}}},
                      {"b", {DType::kF32, {2}, weights, {}}}},
                     {{"graph", graph.dump()}});
  };
  const json conv = {{"op", "CONV_2D"}, {"in", {0}},        {"out", 1},     {"weight", "c"},
                     {"bias", "b"},     {"stride", {2, 1}}, {"same", true}, {"relu", false}};
  const json depthwise = {{"op", "DEPTHWISE_CONV_2D"},
                          {"in", {1}},
                          {"out", 2},
                          {"weight", "d"},
                          {"bias", "b"},
                          {"same", true}};
  const json pool = {{"op", "MAX_POOL_2D"}, {"in", {2}},        {"out", 3},
                     {"size", {2, 2}},      {"stride", {1, 1}}, {"same", true}};
  const json sum = {{"op", "ADD"}, {"in", {2, 3}}, {"out", 4}, {"relu", true}};
  const json prelu = {{"op", "PRELU"}, {"in", {4}}, {"out", 5}, {"weight", "b"}};
  const json relu = {{"op", "RELU"}, {"in", {5}}, {"out", 6}};
  const json pad = {
      {"op", "PAD"}, {"in", {6}}, {"out", 7}, {"pads", {{0, 0}, {1, 0}, {0, 1}, {0, 2}}}};
  const json line = {{"op", "RESHAPE"}, {"in", {7}}, {"out", 8}, {"shape", {1, 20, 4}}};
  const json join = {{"op", "CONCATENATION"}, {"in", {8, 8}}, {"out", 9}, {"axis", 1}};
  add("all", {conv, depthwise, pool, sum, prelu, relu, pad, line, join}, {9, 1});
  json behind = prelu, taken = sum;
  behind["in"] = {3};
  behind["out"] = 4;
  taken["in"] = {1, 2};
  taken["out"] = 3;
  json image = conv;
  image["same"] = false;
  add("chain", {conv, depthwise, taken, behind}, {4});
  add("valid", json::array({image}), {1});
  add("dangling", {conv, pool}, {3});
  add("unequal", {conv, {{"op", "ADD"}, {"in", {0, 1}}, {"out", 2}}}, {2});
  add("long", json::array({{{"op", "RESHAPE"}, {"in", {0}}, {"out", 1}, {"shape", {61}}}}), {1});
}

void AddImages(const Corpora& corpora) {
  corpora.Add("image_header", "png", MakePng(2, 1, 8, PngKind::kRgb, {"abcdef"}));
  corpora.Add("image_header", "palette",
              MakePng(2, 1, 8, PngKind::kPalette, {std::string(2, '\1')}));
  corpora.Add("image_header", "jpeg", JpegHead(20, 10) + "\xff\xd9");
  corpora.Add("image_header", "turned", WithOrientation(JpegHead(20, 10), 6) + "\xff\xd9");
  corpora.Add("image_header", "large", JpegHead(60000, 60000));
  corpora.Add("image_header", "bmp", BmpHead(20, 10));
  corpora.Add("image_header", "gif", std::string("GIF89a\4\0\2\0\0\0\0,\0\0\0\0\4\0\2\0\0;", 24));
  corpora.Add("image_header", "webp",
              std::string("RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0/\3\x40\0\0\0\0\0\0\0\0\0\0\0", 34));
}

}  // namespace
}  // namespace talkface::test

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
    return 2;
  }
  const talkface::test::Corpora corpora(arguments[1]);
  talkface::test::AddCheckpoints(corpora);
  talkface::test::AddSafetensors(corpora);
  talkface::test::AddManifests(corpora);
  talkface::test::AddNets(corpora);
  talkface::test::AddImages(corpora);
  return 0;
}
