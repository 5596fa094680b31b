// SPDX-License-Identifier: MIT
// Names and shapes of all tensors of the official checkpoints: tests/data/parity/official_keys.txt,
// whose head says how to read it.
#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "models/core/error.h"
#include "models/training/checkpoint/mftfg_keys.h"

namespace talkface::checkpoint {

struct OfficialKey {
  Shape shape;
  std::string type = "float32";
  bool absent = false;  // the official code does not save it
};

// By name, for each of the modules LatentDiffusion, Audio2AU and Generator.
using OfficialKeys = std::map<std::string, std::map<std::string, OfficialKey>>;

// The average of a tensor "model.NAME".
inline std::string Averaged(const std::string& name) {
  std::string text = "model_ema.";
  for (char c : name.substr(6)) {
    if (c != '.') text += c;
  }
  return text;
}

inline OfficialKey ReadKey(const std::string& shape, std::istream& marks) {
  OfficialKey key;
  std::istringstream sizes(shape == "scalar" ? "" : shape);
  for (std::string size; std::getline(sizes, size, 'x');) key.shape.push_back(std::stoll(size));
  for (std::string mark; marks >> mark;) {
    if (mark == "absent") {
      key.absent = true;
    } else {
      key.type = mark;
    }
  }
  return key;
}

// Without the averages.
inline OfficialKeys ReadOfficialKeys(const std::string& path) {
  std::ifstream list(path);
  if (!list) throw Error(Code::kInvalid, path + " is missing; it is a part of the repository.");
  OfficialKeys modules;
  std::vector<std::string> parts;  // of the line's name, the module first
  for (std::string line; std::getline(list, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream fields(line);
    std::string part, shape;
    fields >> part >> shape;
    parts.resize(line.find_first_not_of(' '));
    parts.push_back(part);
    if (shape.empty()) continue;
    std::string name;
    for (size_t i = 1; i < parts.size(); ++i) name += (i > 1 ? "." : "") + parts[i];
    modules[parts.front()][name] = ReadKey(shape, fields);
  }
  return modules;
}

}  // namespace talkface::checkpoint
