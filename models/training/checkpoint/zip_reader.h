// SPDX-License-Identifier: MIT
// The directory of a zip container as PyTorch writes it: stored entries only, zip64 where needed
// (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace talkface::checkpoint {

struct ZipEntry {
  std::string_view data;  // inside the container's bytes
  uint32_t crc32 = 0;     // as the directory has it
};

// Every entry by its full name. Nothing is copied, no data is looked at. Throws Error{kBadPack}
// naming `path` and the entry: what is compressed, encrypted, cut short, named twice, or shares
// bytes with another entry is refused, so the entries together are never larger than the file.
std::map<std::string, ZipEntry> ReadZip(const std::string& path, std::string_view bytes);

// Whether the data are those that the checksum was made of; reads all of them.
bool HasRightChecksum(const ZipEntry& entry);

}  // namespace talkface::checkpoint
