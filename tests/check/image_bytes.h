// SPDX-License-Identifier: MIT
// Makes image files byte by byte, so that tests can have kinds that no encoder here writes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace talkface::test {

enum class PngKind : uint8_t { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };

// A PNG with that header, whose image data (rows of samples, without filter bytes) is `rows`: it
// may be less than the header asks for. A palette image has the two colours red and blue.
std::string MakePng(uint32_t width, uint32_t height, int bits, PngKind kind,
                    const std::vector<std::string>& rows);

// A JPEG with an EXIF orientation (1..8) put in front of `jpeg`'s own segments.
std::string WithOrientation(const std::string& jpeg, int orientation);

// The head of a baseline JPEG of that size, without image data.
std::string JpegHead(uint32_t width, uint32_t height);

// The head of a 24-bit BMP of that size, without image data.
std::string BmpHead(uint32_t width, uint32_t height);

}  // namespace talkface::test
