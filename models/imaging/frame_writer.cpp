// SPDX-License-Identifier: MIT
#include "models/imaging/frame_writer.h"

#include <algorithm>
#include <cstring>

#include "models/core/error.h"
#include "models/imaging/convert_kernels.h"

namespace talkface::imaging {

Rect Rect::Intersect(const Rect& other) const {
  return {std::max(x0, other.x0), std::max(y0, other.y0), std::min(x1, other.x1),
          std::min(y1, other.y1)};
}

FrameWriter::FrameWriter(const TargetFormat& target)
    : target_(target), subsampled_(IsSubsampled(target.format)) {
  if (target.width == 0 || target.height == 0 || target.width > 8192 || target.height > 8192) {
    throw Error(Code::kInvalid, "A frame of " + std::to_string(target.width) + " x " +
                                    std::to_string(target.height) +
                                    " pixels cannot be made: each side must be 1 to 8192.");
  }
  if (subsampled_) weights_ = WeightsOf(target.matrix, target.full_range);
}

Rect FrameWriter::Frame() const {
  return {0, 0, static_cast<int>(target_.width), static_cast<int>(target_.height)};
}

Rect FrameWriter::Align(const Rect& rect) const {
  const Rect whole{rect.x0 & ~1, rect.y0 & ~1, (rect.x1 + 1) & ~1, (rect.y1 + 1) & ~1};
  return (subsampled_ ? whole : rect).Intersect(Frame());
}

Rect FrameWriter::Affected(const Rect& rect) const {
  Rect affected = rect;
  if (subsampled_ && target_.chroma_site != ChromaSite::kCentered) affected.x1 += 1;
  if (subsampled_ && target_.chroma_site == ChromaSite::kTopLeftCosited) affected.y1 += 1;
  return Align(affected);
}

Rect FrameWriter::Source(const Rect& aligned) const {
  if (!subsampled_) return aligned;
  Rect source = aligned;
  if (target_.chroma_site != ChromaSite::kCentered) source.x0 -= 1;
  if (target_.chroma_site == ChromaSite::kTopLeftCosited) source.y0 -= 1;
  return source.Intersect(Frame());
}

void FrameWriter::Write(const PixelView& pixels, const Rect& aligned,
                        const FrameTarget& out) const {
  if (aligned.Empty()) return;
  const int count = aligned.x1 - aligned.x0;
  const bool four = target_.format == PixelFormat::kRGBA || target_.format == PixelFormat::kBGRA ||
                    target_.format == PixelFormat::kRGBx || target_.format == PixelFormat::kBGRx;
  for (int y = aligned.y0; y < aligned.y1; ++y) {
    const uint8_t* from = pixels.At(aligned.x0, y);
    uint8_t* row = out.planes[0] + static_cast<size_t>(y) * out.strides[0];
    if (subsampled_) {
      LumaRow(from, count, weights_, row + aligned.x0);
    } else {
      PackRow(from, count, target_.format, row + static_cast<size_t>(aligned.x0) * (four ? 4 : 3));
    }
  }
  if (subsampled_) WriteChroma(pixels, aligned, out);
}

void FrameWriter::WriteChroma(const PixelView& pixels, const Rect& aligned,
                              const FrameTarget& out) const {
  const Rect frame = Frame();
  const bool cosited = target_.chroma_site != ChromaSite::kCentered;
  const bool top = target_.chroma_site == ChromaSite::kTopLeftCosited;
  const ChromaFilter filter{cosited, 2 + (cosited ? 1 : 0) + (top ? 1 : 0)};
  const int count = aligned.x1 - aligned.x0, samples = (count + 1) / 2;
  const int left = cosited && aligned.x0 > 0 ? 1 : 0;
  thread_local std::vector<int16_t> sums;
  thread_local std::vector<uint8_t> chroma;
  sums.resize(4 * static_cast<size_t>(count + 2));
  chroma.resize(2 * static_cast<size_t>(samples));
  int16_t* first = sums.data() + 4;
  uint8_t *u = chroma.data(), *v = u + samples;
  const size_t column = static_cast<size_t>(aligned.x0) / 2;
  for (int y = aligned.y0; y < aligned.y1; y += 2) {
    const int from = aligned.x0 - left;
    const uint8_t* above = top ? pixels.At(from, std::max(y - 1, 0)) : nullptr;
    SumRows(above, pixels.At(from, y), pixels.At(from, std::min(y + 1, frame.y1 - 1)), count + left,
            first - 4 * left);
    // Beyond the frame its edge repeats.
    if (left == 0) std::copy_n(first, 4, first - 4);
    if (count % 2 == 1) std::copy_n(first + 4 * (count - 1), 4, first + 4 * count);
    ChromaRow(first, samples, filter, weights_, u, v);
    const size_t line = static_cast<size_t>(y) / 2;
    if (target_.format == PixelFormat::kNV12) {
      uint8_t* uv = out.planes[1] + line * out.strides[1] + 2 * column;
      for (int i = 0; i < samples; ++i) {
        uv[2 * i] = u[i];
        uv[2 * i + 1] = v[i];
      }
    } else {
      const int u_plane = target_.format == PixelFormat::kI420 ? 1 : 2, v_plane = 3 - u_plane;
      std::copy_n(u, samples, out.planes[u_plane] + line * out.strides[u_plane] + column);
      std::copy_n(v, samples, out.planes[v_plane] + line * out.strides[v_plane] + column);
    }
  }
}

FrameStore::FrameStore(const FrameWriter& writer, const PixelView& whole_frame)
    : planes_(PlanesOf(writer.target())) {
  size_t total = 0;
  for (const PlaneSize& plane : planes_) total += plane.row_bytes * plane.rows;
  bytes_.resize(total);
  FrameTarget out{};
  size_t offset = 0;
  for (size_t i = 0; i < planes_.size(); ++i) {
    out.planes[i] = bytes_.data() + offset;
    out.strides[i] = planes_[i].row_bytes;
    offset += planes_[i].row_bytes * planes_[i].rows;
  }
  writer.Write(whole_frame, writer.Frame(), out);
}

void FrameStore::CopyTo(const FrameTarget& out) const {
  const uint8_t* from = bytes_.data();
  for (size_t i = 0; i < planes_.size(); ++i) {
    const PlaneSize& plane = planes_[i];
    if (out.strides[i] == plane.row_bytes) {
      std::memcpy(out.planes[i], from, plane.row_bytes * plane.rows);
      from += plane.row_bytes * plane.rows;
      continue;
    }
    for (size_t y = 0; y < plane.rows; ++y, from += plane.row_bytes) {
      std::memcpy(out.planes[i] + y * out.strides[i], from, plane.row_bytes);
    }
  }
}

}  // namespace talkface::imaging
