// SPDX-License-Identifier: MIT
// Constants of the ZIP format (PKWARE's APPNOTE.TXT, 4.3 to 4.5), for reader and writer.
#pragma once

#include <cstdint>

namespace talkface::checkpoint {

constexpr uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50, kEnd64Signature = 0x06064b50;
constexpr uint32_t kEnd64LocatorSignature = 0x07064b50;
constexpr uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22;
constexpr uint64_t kEnd64Bytes = 56, kEnd64LocatorBytes = 20;
constexpr uint16_t kZip64Extra = 1;  // the extra field that holds 64-bit sizes
// In a field of 32 or 16 bits: look into the extra field, or into the 64-bit end record.
constexpr uint32_t kIn64 = 0xffffffff;
constexpr uint16_t kIn64Short = 0xffff;

}  // namespace talkface::checkpoint
