// SPDX-License-Identifier: MIT
// Files of torch.save: a genuine one, and what damage and malice make of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "models/training/checkpoint/checkpoint.h"
#include "tests/units/support/checkpoint_fixture.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/memory_file.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::checkpoint {
namespace {

using test::Container;
using test::DictOf;
using test::Number;
using test::Numbers;
using test::ReadBytes;
using test::Storage;
using test::Tensor;
using test::Text;
using test::Zip;

std::string GenuineFile() { return TALKFACE_TEST_CHECKPOINTS "/lightning.pt"; }

template <typename Number>
std::vector<Number> Elements(const StoredTensor& tensor) {
  std::ostringstream out;
  tensor.WriteTo(out);
  const std::string bytes = out.str();
  EXPECT_EQ(bytes.size(), tensor.bytes());
  std::vector<Number> elements(bytes.size() / sizeof(Number));
  std::memcpy(elements.data(), bytes.data(), bytes.size());
  return elements;
}

// Opens a file and reads everything in it.
void ReadAll(const std::string& path) {
  const auto file = Checkpoint::Open(path);
  for (const char* key : {"", "state_dict"}) {
    if (*key != '\0' && !file->HasDict(key)) continue;
    for (const auto& [name, tensor] : file->Tensors(key).tensors) {
      file->CheckData(*tensor);
      std::ostringstream out;
      tensor->WriteTo(out);
    }
  }
}

TEST(Checkpoint, AGenuineFileIsReadExactly) {
  const auto file = Checkpoint::Open(GenuineFile());
  const StateDict state = file->Tensors("state_dict");
  const auto& tensors = state.tensors;
  for (const auto& [name, tensor] : tensors) EXPECT_NO_THROW(file->CheckData(*tensor)) << name;
  EXPECT_EQ(Elements<float>(*tensors.at("0.weight")), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(tensors.at("0.weight")->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(tensors.at("half")->dtype, DType::kF16);
  EXPECT_EQ(Elements<uint16_t>(*tensors.at("half")), (std::vector<uint16_t>{0x3800, 0xc000}));
  EXPECT_EQ(tensors.at("bfloat16")->dtype, DType::kBF16);
  EXPECT_EQ(Elements<uint16_t>(*tensors.at("bfloat16")), (std::vector<uint16_t>{0x3fc0, 0xc040}));
  EXPECT_EQ(Elements<double>(*tensors.at("double")), std::vector<double>{0.25});
  EXPECT_EQ(tensors.at("1.num_batches_tracked")->dtype, DType::kI64);
  EXPECT_EQ(Elements<int64_t>(*tensors.at("1.num_batches_tracked")), std::vector<int64_t>{0});
  EXPECT_EQ(tensors.at("empty")->shape, (std::vector<int64_t>{0, 3}));
  EXPECT_EQ(state.others.at("bool"), "a tensor of torch.BoolStorage");
}

TEST(Checkpoint, ViewsOfASharedStorageAreReadInTheirOwnOrder) {
  const auto file = Checkpoint::Open(GenuineFile());
  const auto tensors = file->Tensors("state_dict").tensors;
  const StoredTensor& transposed = *tensors.at("transposed");
  EXPECT_FALSE(transposed.contiguous);
  EXPECT_EQ(transposed.shape, (std::vector<int64_t>{4, 3}));
  EXPECT_EQ(Elements<float>(transposed),
            (std::vector<float>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
  EXPECT_EQ(Elements<float>(*tensors.at("column")), (std::vector<float>{1, 5, 9}));
  EXPECT_EQ(Elements<float>(*tensors.at("tail")), (std::vector<float>{8, 9, 10, 11}));
  EXPECT_EQ(tensors.at("tail")->entry, transposed.entry);
}

// Such a stride is never taken, so the file's writer may have put anything there.
TEST(Checkpoint, AStrideOfOneElementMayBeHuge) {
  const test::TemporaryFolder folder;
  const std::string path =
      folder.Write("huge.pt", Container(DictOf(Tensor(Storage(6), 0, {2, 1}, {2, INT64_MAX}))));
  EXPECT_EQ(Elements<uint8_t>(*Checkpoint::Open(path)->Tensors("").tensors.at("w")),
            std::vector<uint8_t>(8, 1));
}

TEST(Checkpoint, ObjectsAreCarriedAsUnknown) {
  const auto file = Checkpoint::Open(GenuineFile());
  const StateDict root = file->Tensors("");
  EXPECT_EQ(root.others.at("hyper_parameters"), "argparse.Namespace");
  EXPECT_EQ(root.others.at("counts"), "collections.Counter");
  EXPECT_EQ(root.others.at("state_dict"), "a dict");
  EXPECT_EQ(root.others.at("epoch"), "a number");
  EXPECT_EQ(Elements<float>(*root.tensors.at("parameter")).size(), 2U);
}

TEST(Checkpoint, NothingIsRun) {
  const test::TemporaryFolder folder;
  const std::string command = "touch " + (folder / "ran");
  const std::string call = Text(command) + "\x85R";
  const std::pair<const char*, std::string> cases[] = {
      {"posix.system", "cposix\nsystem\n" + call},
      {"os.system", Text("os") + Text("system") + "\x93" + call},
      {"subprocess.Popen", "csubprocess\nPopen\n" + call},
      {"builtins.eval", "cbuiltins\neval\n" + call},
      {"__builtin__.exec", "c__builtin__\nexec\n" + call},
  };
  for (const auto& [name, value] : cases) {
    const std::string path = folder.Write("evil.pt", Container(DictOf(value)));
    EXPECT_ERROR(Checkpoint::Open(path), Code::kBadPack, path, name, "do not trust");
  }
  // A name that is merely unknown is inert, also where attributes and items are given to it.
  const std::string unknown = "cevil\nThing\n)\x81}" + Text("a") + "K\1sb" + Text("b") + "K\2s";
  const std::string path = folder.Write("unknown.pt", Container(DictOf(unknown)));
  EXPECT_EQ(Checkpoint::Open(path)->Tensors("").others.at("w"), "evil.Thing");
  const std::string data =
      "(" + Text("storage") + "cevil\nData\n" + Text("0") + Text("cpu") + Number(6) + "tQ";
  test::WriteBytes(path, Container(DictOf(Tensor(data, 0, {1}, {1}))));
  EXPECT_EQ(Checkpoint::Open(path)->Tensors("").others.at("w"), "a tensor of evil.Data");
  EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
}

struct Case {
  const char* name;
  std::string bytes;
  const char* said;
};

void ExpectRefused(const std::vector<Case>& cases) {
  const test::TemporaryFolder folder;
  for (const Case& damaged : cases) {
    SCOPED_TRACE(damaged.name);
    const std::string path = folder.Write("damaged.pt", damaged.bytes);
    EXPECT_ERROR(ReadAll(path), Code::kBadPack, path, damaged.said);
  }
}

TEST(Checkpoint, HostilePicklesAreRefused) {
  const std::string start = "\x80\x02";
  std::vector<Case> cases = {
      {"deep", start + std::string(90'000, ']') + std::string(89'999, 'a') + ".", "nested deeper"},
      {"stack", start + std::string(200'000, 'N') + ".", "on its stack"},
      {"marks", start + std::string(200'000, '(') + ".", "marks"},
      {"memo", start + "Nr\xff\xff\xff\x7f.", "remembers more"},
      {"no memo", start + "h\5.", "never remembered"},
      {"long text", start + "X\xff\xff\xff\xff.", "ends within"},
      {"longer text", start + "\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "ends within"},
      {"long integer", start + "\x8b\xff\xff\xff\xff.", "ends within"},
      {"empty stack", start + ".", "one value"},
      {"empty tuple", start + "\x87.", "runs empty"},
      {"no mark", start + "Nt.", "mark is missing"},
      {"below the mark", start + "N(R.", "runs empty"},
      {"add to none", start + "NNa.", "no container"},
      {"odd dict", start + "}(Nu.", "no value"},
      {"text call", start + "NNR.", "no list of arguments"},
      {"protocol 0", "(lp0\n.", "opcode 108"},
      {"protocol 9", "\x80\x09N.", "protocol 9"},
      {"cut", start + "}X\4", "ends within"},
      {"more", start + "}.}", "follows its end"},
      {"frame", "\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff.", "frame"},
      {"a list", start + "].", "no dict of tensors but a list"},
      {"empty", "", "ends within"},
  };
  std::string values;
  for (int i = 0; i < 2'000'001; ++i) values += "]0";
  cases.push_back({"values", start + values + "N.", "2000000 values"});
  for (Case& damaged : cases) damaged.bytes = Container(damaged.bytes);
  ExpectRefused(cases);
}

// Each list holds the one before it twice: 2^100 if it were followed.
TEST(Checkpoint, DoubledListsTakeNoTime) {
  std::string value = "]q\1";
  for (int i = 0; i < 100; ++i) value += "0]q\2(h\1h\1e0h\2q\1";
  const test::TemporaryFolder folder;
  const std::string path = folder.Write("laughs.pt", Container(DictOf(value)));
  EXPECT_EQ(Checkpoint::Open(path)->Tensors("").others.at("w"), "a list");
}

// A list, a name or a description of some thousand bytes, copied by every further five bytes.
TEST(Checkpoint, CopiesOfCopiesAreRefused) {
  const std::string start = "\x80\x02", pair =
                                            "N"
                                            "N\x86";
  std::string dicts = start + "ccollections\nOrderedDict\nq\1](";
  for (int i = 0; i < 50'000; ++i) dicts += pair;
  dicts += "e\x85q\2";
  for (int i = 0; i < 1'000; ++i) dicts += "h\1h\2R0";
  const std::string name(60'000, 'a');
  ExpectRefused({
      {"dicts", Container(dicts + "h\1)R."), "items in its lists"},
      {"name", Container(start + "c" + name + "\nb\n."), "name of 60002 characters"},
  });
  std::string value = "cevil\nData\n)R";
  for (int i = 0; i < 1'000; ++i)
    value = "ctorch._utils\n_rebuild_tensor_v2\nq\1" + value + "\x85R";
  const test::TemporaryFolder folder;
  const std::string path = folder.Write("unknown.pt", Container(DictOf(value)));
  EXPECT_LT(Checkpoint::Open(path)->Tensors("").others.at("w").size(), 600U);
}

TEST(Checkpoint, TensorsOutsideTheirDataAreRefused) {
  constexpr int64_t kHuge = int64_t{1} << 62;
  std::vector<Case> cases = {
      {"storage", Tensor(Storage(7), 0, {7}, {1}), "24 bytes, wanted 7"},
      {"huge storage", Tensor(Storage(kHuge), 0, {1}, {1}), "24 bytes"},
      {"negative storage", Tensor(Storage(-1), 0, {1}, {1}), "no tensor data"},
      {"no such data", Tensor(Storage(6, "1"), 0, {1}, {1}), "m/data/1 is missing"},
      {"outside", Tensor(Storage(6, "../../etc"), 0, {1}, {1}), "missing"},
      {"shape", Tensor(Storage(6), 0, {7}, {1}), "reaches to element 6"},
      {"offset", Tensor(Storage(6), 5, {2}, {1}), "reaches to element 6"},
      {"huge offset", Tensor(Storage(6), kHuge, {1}, {1}), "reaches"},
      {"negative offset", Tensor(Storage(6), -1, {1}, {1}), "unknown way"},
      {"strides", Tensor(Storage(6), 0, {2, 3}, {4, 1}), "reaches to element 6"},
      {"huge strides", Tensor(Storage(6), 0, {3, 3}, {kHuge, kHuge}), "reaches"},
      {"negative strides", Tensor(Storage(6), 5, {2}, {-1}), "no positive number"},
      {"huge shape", Tensor(Storage(6), 0, {kHuge, kHuge}, {1, 1}), "reaches"},
      {"repeated", Tensor(Storage(6), 0, {kHuge, kHuge}, {0, 0}), "overlap"},
      {"overlapping", Tensor(Storage(6), 0, {2, 3}, {2, 1}), "overlap"},
      {"fewer strides", Tensor(Storage(6), 0, {2, 3}, {1}), "2 sizes and 1 strides"},
      {"dimensions",
       Tensor(Storage(6), 0, std::vector<int64_t>(65, 1), std::vector<int64_t>(65, 1)), "up to 64"},
      {"no storage", Tensor("N", 0, {1}, {1}), "unknown way"},
      {"reference", "K\1Q", "no tensor data"},
  };
  for (Case& damaged : cases) damaged.bytes = Container(DictOf(damaged.bytes));
  ExpectRefused(cases);
}

// `bytes` with the first `from` replaced by `to`, of the same length.
std::string Replace(std::string bytes, const std::string& from, const std::string& to) {
  const size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos);
  return bytes.replace(at, from.size(), to);
}

// The directory's entry of that name with other bytes at `offset`.
std::string PatchDirectory(std::string bytes, const std::string& name, size_t offset,
                           const std::string& patch) {
  const size_t at = bytes.rfind(name) - 46;
  EXPECT_EQ(bytes.substr(at, 4), "PK\1\2");
  return bytes.replace(at + offset, patch.size(), patch);
}

TEST(Checkpoint, DamagedContainersAreRefused) {
  const std::string pickle = DictOf(Tensor(Storage(6), 0, {6}, {1}));
  const std::string good = Container(pickle);
  const std::string legacy = std::string("\x80\x02\x8a\nl\xfc\x9c") + "F\xf9 j\xa8P\x19.";
  const std::string kSize = std::string("\xff\xff\xff\x7f\xff\xff\xff\x7f", 8);
  std::string zip64_end = good;
  zip64_end.replace(good.size() - 14, 4, "\xff\xff\xff\xff");  // the number of entries
  ExpectRefused({
      {"legacy", legacy, "before PyTorch 1.6"},
      {"text", "hello", "no zip container"},
      {"no end", good.substr(0, good.size() - 30), "without its end"},
      {"start only", "PK\3\4", "not a zip file"},
      {"no pickle", Zip({{"m/data/0", "x"}}), "data.pkl is missing"},
      {"byte order", Zip({{"m/data.pkl", pickle}, {"m/byteorder", "big"}}), "'big'"},
      {"no data", Zip({{"m/data.pkl", pickle}}), "m/data/0 is missing"},
      {"twice", Zip({{"m/data.pkl", pickle}, {"m/data.pkl", pickle}}), "there twice"},
      {"compressed", PatchDirectory(good, "m/data/0", 10, "\x08"), "m/data/0 is compressed"},
      {"bomb", PatchDirectory(good, "m/data/0", 24, kSize.substr(4)), "m/data/0 is compressed"},
      {"encrypted", PatchDirectory(good, "m/data/0", 8, "\x01"), "m/data/0 is encrypted"},
      {"too long", PatchDirectory(good, "m/data/0", 20, kSize), "outside the file"},
      {"elsewhere", PatchDirectory(good, "m/data/0", 42, "\x01"), "not where the directory says"},
      {"no zip64", zip64_end, "zip64"},
      {"other data", Replace(good, std::string(24, '\1'), std::string(24, '\2')), "checksum"},
      {"other pickle", Replace(good, "FloatStorage", "ShortStorage"), "checksum"},
  });
}

// Two entries with the same bytes: how a small file claims to be a large one.
TEST(Checkpoint, EntriesThatShareBytesAreRefused) {
  std::string bytes = Zip({{"m/a", "x"}, {"m/data.pkl", "\x80\x02}."}, {"m/b", "yy"}});
  // m/b is made to be an entry within the data of m/a, which reaches over it.
  const size_t local = bytes.find("m/b") - 30, first = bytes.find("m/a") - 30;
  const size_t data = first + 30 + 3 + static_cast<uint8_t>(bytes[first + 28]);
  const auto size = static_cast<char>(local + 40 - data);
  bytes = PatchDirectory(bytes, "m/a", 20, {size, 0, 0, 0, size, 0, 0, 0});
  ExpectRefused({{"overlap", bytes, "share bytes"}});
}

TEST(Checkpoint, AFileCutAnywhereIsRefused) {
  const std::string bytes = ReadBytes(GenuineFile());
  const test::MemoryFile file;
  for (size_t size = 0; size < bytes.size(); ++size) {
    file.Write(bytes.substr(0, size));
    EXPECT_THROW(ReadAll(file.path()), Error) << size;
  }
}

// Whatever byte is wrong: refused, or read without harm (under sanitizers, too).
TEST(Checkpoint, AnyFlippedByteDoesNoHarm) {
  const std::string bytes = ReadBytes(GenuineFile());
  const test::MemoryFile file;
  size_t refused = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0xff, 0x01}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      file.Write(damaged);
      try {
        ReadAll(file.path());
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, bytes.size() / 2);
}

// The same with the pickle's checksum made right again, so that the machine sees the damage.
TEST(Checkpoint, AnyFlippedByteOfThePickleDoesNoHarm) {
  const test::MemoryFile file;
  const std::string bytes = ReadBytes(GenuineFile());
  std::vector<std::pair<std::string, std::string>> parts;
  for (const auto& [name, entry] : ReadZip("genuine", bytes))
    parts.emplace_back(name, std::string(entry.data));
  size_t refused = 0, size = 0;
  for (auto& [name, data] : parts) {
    if (name != "lightning/data.pkl") continue;
    size = data.size();
    for (size_t i = 0; i < size; ++i) {
      for (const int flip : {0xff, 0x01}) {
        data[i] = static_cast<char>(data[i] ^ flip);
        file.Write(Zip(parts));
        data[i] = static_cast<char>(data[i] ^ flip);
        try {
          ReadAll(file.path());
        } catch (const Error&) {
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(refused, size / 2);
}

}  // namespace
}  // namespace talkface::checkpoint
