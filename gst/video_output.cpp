// SPDX-License-Identifier: MIT
#include "gst/video_output.h"

#include <algorithm>
#include <utility>

namespace talkface {
namespace {

constexpr int kSdLines = 576;

uint32_t Even(uint64_t size) {
  return static_cast<uint32_t>(std::clamp<uint64_t>((size + 1) / 2 * 2, 2, kMaxVideoSide));
}

// The size nearest to the portrait's; where one side is given the other follows its shape.
void FixateSize(GstStructure* fields, uint32_t portrait_width, uint32_t portrait_height) {
  const uint64_t longest = std::max(portrait_width, portrait_height);
  const uint64_t limit = std::min<uint64_t>(longest, kMaxVideoSide);
  uint32_t width = Even(portrait_width * limit / longest);
  uint32_t height = Even(portrait_height * limit / longest);
  int fixed = 0;
  if (gst_structure_get_int(fields, "width", &fixed)) {
    height = Even(uint64_t{portrait_height} * static_cast<uint64_t>(fixed) / portrait_width);
  } else if (gst_structure_get_int(fields, "height", &fixed)) {
    width = Even(uint64_t{portrait_width} * static_cast<uint64_t>(fixed) / portrait_height);
  }
  gst_structure_fixate_field_nearest_int(fields, "width", static_cast<int>(width));
  gst_structure_fixate_field_nearest_int(fields, "height", static_cast<int>(height));
}

const char* DefaultColorimetry(const GstVideoFormatInfo* format, int height) {
  if (GST_VIDEO_FORMAT_INFO_IS_RGB(format)) return GST_VIDEO_COLORIMETRY_SRGB;
  return height <= kSdLines ? GST_VIDEO_COLORIMETRY_BT601 : GST_VIDEO_COLORIMETRY_BT709;
}

void FixateString(GstStructure* fields, const char* name, const char* wanted) {
  if (!gst_structure_has_field(fields, name)) {
    gst_structure_set(fields, name, G_TYPE_STRING, wanted, nullptr);
  } else {
    gst_structure_fixate_field_string(fields, name, wanted);
  }
}

ColorMatrix MatrixOf(GstVideoColorMatrix matrix) {
  switch (matrix) {
    case GST_VIDEO_COLOR_MATRIX_BT709:
      return ColorMatrix::kBt709;
    case GST_VIDEO_COLOR_MATRIX_BT2020:
      return ColorMatrix::kBt2020;
    case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
      return ColorMatrix::kSmpte240m;
    case GST_VIDEO_COLOR_MATRIX_FCC:
      return ColorMatrix::kFcc;
    default:
      return ColorMatrix::kBt601;
  }
}

PixelFormat FormatOf(GstVideoFormat format) {
  switch (format) {
    case GST_VIDEO_FORMAT_YV12:
      return PixelFormat::kYV12;
    case GST_VIDEO_FORMAT_NV12:
      return PixelFormat::kNV12;
    case GST_VIDEO_FORMAT_RGBA:
      return PixelFormat::kRGBA;
    case GST_VIDEO_FORMAT_BGRA:
      return PixelFormat::kBGRA;
    case GST_VIDEO_FORMAT_RGBx:
      return PixelFormat::kRGBx;
    case GST_VIDEO_FORMAT_BGRx:
      return PixelFormat::kBGRx;
    case GST_VIDEO_FORMAT_RGB:
      return PixelFormat::kRGB;
    case GST_VIDEO_FORMAT_BGR:
      return PixelFormat::kBGR;
    default:
      return PixelFormat::kI420;
  }
}

ChromaSite SiteOf(GstVideoChromaSite site) {
  if ((site & GST_VIDEO_CHROMA_SITE_NONE) != 0) return ChromaSite::kCentered;
  const bool left = (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0;
  const bool top = (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0;
  if (left && top) return ChromaSite::kTopLeftCosited;
  return ChromaSite::kLeftCosited;  // MPEG-2's, and what decoders assume where none is given
}

}  // namespace

GstCaps* FixateVideoCaps(GstCaps* caps, uint32_t portrait_width, uint32_t portrait_height) {
  caps = gst_caps_make_writable(gst_caps_truncate(caps));
  GstStructure* fields = gst_caps_get_structure(caps, 0);
  gst_structure_fixate_field(fields, "format");
  FixateSize(fields, portrait_width, portrait_height);
  gst_structure_fixate_field_nearest_fraction(fields, "framerate", 25, 1);
  if (!gst_structure_has_field(fields, "pixel-aspect-ratio"))
    gst_structure_set(fields, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr);
  gst_structure_fixate_field_nearest_fraction(fields, "pixel-aspect-ratio", 1, 1);

  int height = 0;
  gst_structure_get_int(fields, "height", &height);
  const GstVideoFormatInfo* format = gst_video_format_get_info(
      gst_video_format_from_string(gst_structure_get_string(fields, "format")));
  FixateString(fields, "colorimetry", DefaultColorimetry(format, height));
  if (GST_VIDEO_FORMAT_INFO_IS_YUV(format)) FixateString(fields, "chroma-site", "mpeg2");
  return gst_caps_fixate(caps);
}

TargetFormat TargetOf(const GstVideoInfo& info) {
  TargetFormat target;
  target.width = static_cast<uint32_t>(info.width);
  target.height = static_cast<uint32_t>(info.height);
  target.format = FormatOf(GST_VIDEO_INFO_FORMAT(&info));
  target.matrix = MatrixOf(info.colorimetry.matrix);
  target.chroma_site = SiteOf(info.chroma_site);
  target.full_range = info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  return target;
}

bool DecideVideoAllocation(GstQuery* query) {
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  GstVideoInfo info;
  if (caps == nullptr || !gst_video_info_from_caps(&info, caps)) return false;

  GstAllocator* allocator = nullptr;
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  if (gst_query_get_n_allocation_params(query) > 0)
    gst_query_parse_nth_allocation_param(query, 0, &allocator, &params);
  GstBufferPool* pool = nullptr;
  guint size = 0, min = 0, max = 0;
  const bool offered = gst_query_get_n_allocation_pools(query) > 0;
  if (offered) gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &min, &max);
  if (pool == nullptr) {
    pool = gst_video_buffer_pool_new();
    max = 0;
  }
  size = std::max(size, static_cast<guint>(info.size));

  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, caps, size, min, max);
  gst_buffer_pool_config_set_allocator(config, allocator, &params);
  const bool meta = gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  if (meta) gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  bool configured = gst_buffer_pool_set_config(pool, config);
  if (!configured) {
    // Downstream's pool cannot do it its own way: ours can.
    gst_object_unref(pool);
    pool = gst_video_buffer_pool_new();
    max = 0;
    config = gst_buffer_pool_get_config(pool);
    gst_buffer_pool_config_set_params(config, caps, size, min, max);
    if (meta) gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    configured = gst_buffer_pool_set_config(pool, config);
  }
  if (offered) {
    gst_query_set_nth_allocation_pool(query, 0, pool, size, min, max);
  } else {
    gst_query_add_allocation_pool(query, pool, size, min, max);
  }
  const bool active = configured && gst_buffer_pool_set_active(pool, TRUE);
  gst_object_unref(pool);
  if (allocator != nullptr) gst_object_unref(allocator);
  return active;
}

OutputFrame::~OutputFrame() {
  GstBuffer* buffer = Release();
  if (buffer != nullptr) gst_buffer_unref(buffer);
}

GstFlowReturn OutputFrame::Acquire(GstBufferPool* pool, const GstVideoInfo& info, bool wait) {
  GstBufferPoolAcquireParams params{};
  if (!wait) params.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
  GstBuffer* buffer = nullptr;
  const GstFlowReturn flow = gst_buffer_pool_acquire_buffer(pool, &buffer, &params);
  if (flow != GST_FLOW_OK) return flow;
  if (!gst_video_frame_map(&frame_, &info, buffer, GST_MAP_WRITE)) {
    gst_buffer_unref(buffer);
    return GST_FLOW_ERROR;
  }
  buffer_ = buffer;
  return GST_FLOW_OK;
}

FrameTarget OutputFrame::Target() {
  FrameTarget target;
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES(&frame_); ++i) {
    target.planes[i] = static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, i));
    target.strides[i] = static_cast<size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, i));
  }
  return target;
}

GstBuffer* OutputFrame::Release() {
  if (buffer_ == nullptr) return nullptr;
  gst_video_frame_unmap(&frame_);
  return std::exchange(buffer_, nullptr);
}

}  // namespace talkface
