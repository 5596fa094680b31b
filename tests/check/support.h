// SPDX-License-Identifier: MIT
// What several check tests need: temporary folders, portraits, packs of the fake family.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace talkface::test {

// A folder that is removed, with what is in it, when the object goes.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string path(const std::string& name = "") const;

 private:
  std::string folder_;
};

void WriteFile(const std::string& path, const std::string& bytes);
std::string ReadFile(const std::string& path);

// Returns `path`.
std::string WritePng(const std::string& path, const std::vector<uint8_t>& rgba, int width,
                     int height);

// Writes an RGBA portrait of that size (a pattern, for families that look for no face); PNG.
// Returns `path`.
std::string WritePortrait(const std::string& path, int width, int height, uint8_t tint = 0);

// Writes a pack of the fake family; `settings` is the inside of its section ("\"delay_ms\": 5").
// Returns its folder.
std::string WriteFakePack(const std::string& folder, const std::string& settings);

// tests/test_data.h, which does not compile behind gstcheck.h and its macro `fail`.
std::string DataFile(const std::string& name);
std::vector<std::string> DataFiles(const std::string& folder);

// How long, in seconds, a test waits for what must come: only what hangs takes as long, on a
// machine however busy. Less than check grants a case (CK_DEFAULT_TIMEOUT), so that the test tells
// itself.
constexpr unsigned kPatienceS = 300;

// Was this binary built with -Db_sanitize=address or thread? Some limits cannot be tested then.
bool Sanitized();

}  // namespace talkface::test
