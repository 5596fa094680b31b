// SPDX-License-Identifier: MIT
// PyTorch checkpoints made byte by byte.
#pragma once

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "models/training/checkpoint/zip_writer.h"

namespace talkface::test {

inline std::string ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// A container of these entries.
inline std::string Zip(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::ostringstream out;
  checkpoint::ZipWriter zip(&out);
  for (const auto& [name, data] : entries) zip.Add(name, data);
  zip.Finish();
  return out.str();
}

// A container as torch.save makes it, with 6 float32 in data/0.
inline std::string Container(const std::string& pickle) {
  return Zip({{"m/data.pkl", pickle},
              {"m/byteorder", "little"},
              {"m/data/0", std::string(24, '\1')},
              {"m/version", "3\n"}});
}

// Pickle opcodes.
inline std::string Text(const std::string& text) {
  return std::string("\x8c") + static_cast<char>(text.size()) + text;
}
inline std::string Number(int64_t number) {
  std::string bytes = "\x8a\x08";
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(number >> (8 * i));
  return bytes;
}
inline std::string Numbers(const std::vector<int64_t>& numbers) {
  std::string bytes = "(";
  for (int64_t number : numbers) bytes += Number(number);
  return bytes + "t";
}
// The storage data/0 said to hold `elements`.
inline std::string Storage(int64_t elements, const std::string& key = "0") {
  return "(" + Text("storage") + "ctorch\nFloatStorage\n" + Text(key) + Text("cpu") +
         Number(elements) + "tQ";
}
inline std::string Tensor(const std::string& storage, int64_t offset,
                          const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + Number(offset) + Numbers(shape) +
         Numbers(strides) + "\x89" + "NtR";
}
// {"w": value}
inline std::string DictOf(const std::string& value) {
  return "\x80\x02}" + Text("w") + value + "s.";
}

}  // namespace talkface::test
