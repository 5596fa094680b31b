// SPDX-License-Identifier: MIT
#include "models/families/mftfg/face/frame_compositor.h"

#include <algorithm>
#include <cstring>

#include "models/torch/lane.h"

namespace talkface::mftfg {
namespace {

using imaging::Rect;
using portrait::Patch;
using torch::Tensor;

constexpr int64_t kAlignment = 256;  // of what lies side by side in one block of memory

int64_t Padded(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// A patch with its repeated row and column.
Tensor Upload(const Patch& patch, torch::Device device) {
  const auto bytes = static_cast<int64_t>(patch.bytes());
  const Tensor host = torch::empty({bytes}, torch::kUInt8);
  std::memcpy(host.data_ptr(), patch.data(), patch.bytes());
  return nets::SendTo(device, host);
}

imaging::PixelRows RowsOf(const Patch& patch, const Tensor& uploaded) {
  return {uploaded.const_data_ptr<uint8_t>(), 4 * (Width(patch.area()) + 1), patch.area()};
}

template <typename Pass>
void OverPixels(const Rect& area, Pass pass) {
  for (int y = area.y0; y < area.y1; ++y)
    for (int x = area.x0; x < area.x1; ++x) pass(x, y);
}

// Bytes of a plane's row between two columns of the frame, and of the frame's rows in the plane.
struct PlanePart {
  int from_byte, bytes, from_row, rows;
};

std::vector<PlanePart> PartsOf(const imaging::ComposeScene& scene) {
  const Rect& drawn = scene.drawn;
  if (!scene.subsampled) {
    const bool three = scene.format == PixelFormat::kRGB || scene.format == PixelFormat::kBGR;
    const int pixel = three ? 3 : 4;
    return {{pixel * drawn.x0, pixel * Width(drawn), drawn.y0, Height(drawn)}};
  }
  const int pixel = scene.format == PixelFormat::kNV12 ? 2 : 1;
  const PlanePart chroma{pixel * (drawn.x0 / 2), pixel * ((Width(drawn) + 1) / 2), drawn.y0 / 2,
                         (Height(drawn) + 1) / 2};
  std::vector<PlanePart> parts = {{drawn.x0, Width(drawn), drawn.y0, Height(drawn)}, chroma};
  if (pixel == 1) parts.push_back(chroma);
  return parts;
}

int64_t OutBytes(const imaging::ComposeScene& scene) {
  int64_t bytes = 0;
  for (const PlanePart& part : PartsOf(scene)) bytes += int64_t{part.bytes} * part.rows;
  return bytes;
}

}  // namespace

FrameCompositor::FrameCompositor(const portrait::PortraitScene& moving, const FacePlace& face,
                                 torch::Device device)
    : moving_(moving), device_(device) {
  const portrait::PortraitScene::Parts parts = moving.PartsOfFrame();
  const portrait::MotionFields& fields = parts.fields;
  portrait_ = Upload(moving.MovingPixels(), device);
  frame_ = Upload(parts.frame, device);
  places_ = face.places.to(device).contiguous();
  shares_ = face.shares.to(device).contiguous();
  const Rect cells{fields.x0, fields.y0, fields.x0 + (fields.columns - 1) * fields.step,
                   fields.y0 + (fields.rows - 1) * fields.step};
  const TargetFormat& target = parts.writer.target();
  scene_.portrait = RowsOf(moving.MovingPixels(), portrait_);
  scene_.frame = RowsOf(parts.frame, frame_);
  scene_.face = face.area;
  scene_.places = places_.const_data_ptr<float>();
  scene_.shares = shares_.const_data_ptr<float>();
  scene_.doubled = parts.doubled;
  scene_.moving = cells.Intersect(parts.picture);
  scene_.node_x0 = fields.x0;
  scene_.node_y0 = fields.y0;
  scene_.log2_step = fields.log2_step;
  scene_.columns = fields.columns;
  scene_.rows = fields.rows;
  scene_.drawn = parts.writer.Affected(scene_.moving);
  scene_.source = parts.writer.Source(scene_.drawn);
  scene_.frame_width = static_cast<int>(target.width);
  scene_.frame_height = static_cast<int>(target.height);
  scene_.format = target.format;
  scene_.subsampled = imaging::IsSubsampled(target.format);
  scene_.cosited = target.chroma_site != ChromaSite::kCentered;
  scene_.top_sited = target.chroma_site == ChromaSite::kTopLeftCosited;
  if (scene_.subsampled) scene_.weights = imaging::WeightsOf(target.matrix, target.full_range);
}

FrameCompositor::Frame FrameCompositor::Begin(const Tensor& picture, float shown,
                                              uint64_t time_ns) const {
  thread_local portrait::WarpGrid grid;
  moving_.Solve(time_ns, &grid);
  const int64_t count = int64_t{scene_.columns} * scene_.rows;
  const Tensor nodes = torch::empty({2, count}, torch::kInt32);
  std::copy_n(grid.skin().x.data(), count, nodes.data_ptr<int32_t>());
  std::copy_n(grid.skin().y.data(), count, nodes.data_ptr<int32_t>() + count);

  const int64_t width = Width(scene_.portrait.area), height = Height(scene_.portrait.area);
  const int64_t pasted = 4 * (width + 1) * (height + 1), doubled = 16 * width * height;
  const int64_t moved = int64_t{4} * Width(scene_.source) * Height(scene_.source);
  const int64_t out = OutBytes(scene_);
  const int64_t sizes[] = {pasted, scene_.doubled ? doubled : 0, moved, out};
  int64_t total = 0;
  for (int64_t size : sizes) total += Padded(size);

  Frame frame;
  frame.nodes = nets::SendTo(device_, nodes);
  frame.memory = torch::empty({total}, torch::TensorOptions(torch::kUInt8).device(device_));
  uint8_t* at = frame.memory.data_ptr<uint8_t>();
  frame.job.scene = scene_;
  frame.job.scene.picture_size = static_cast<int>(picture.size(2));
  frame.job.picture = picture.const_data_ptr<float>();
  frame.job.shown = shown;
  frame.job.node_x = frame.nodes.const_data_ptr<int32_t>();
  frame.job.node_y = frame.job.node_x + count;
  uint8_t** const places[] = {&frame.job.pasted, &frame.job.doubled, &frame.job.moved,
                              &frame.job.out};
  for (int i = 0; i < 4; ++i) {
    *places[i] = at;
    at += Padded(sizes[i]);
  }
  frame.whole = moving_.OnlySkinMoves(time_ns);
  frame.result = frame.whole ? frame.memory.narrow(0, total - Padded(out), out)
                             : frame.memory.narrow(0, 0, pasted);
  return frame;
}

void FrameCompositor::Finish(const Frame& frame, const uint8_t* result, uint64_t time_ns,
                             const FrameTarget& target) const {
  if (frame.whole) {
    moving_.PartsOfFrame().still.CopyTo(target);
    CopyOut(result, target);
    return;
  }
  thread_local Patch pixels;
  pixels.Fill(result, static_cast<size_t>(scene_.portrait.stride), scene_.portrait.area);
  PastedMotion motion;
  motion.painted = &pixels;
  moving_.Render({&motion, {}, time_ns}, target);
}

void FrameCompositor::CopyOut(const uint8_t* drawn, const FrameTarget& target) const {
  size_t plane = 0;
  for (const PlanePart& part : PartsOf(scene_)) {
    for (int row = 0; row < part.rows; ++row, drawn += part.bytes) {
      const size_t line = static_cast<size_t>(part.from_row + row) * target.strides[plane];
      std::memcpy(target.planes[plane] + line + part.from_byte, drawn,
                  static_cast<size_t>(part.bytes));
    }
    ++plane;
  }
}

void RunCompose(const imaging::ComposeJob& job) {
  const imaging::ComposeScene& scene = job.scene;
  const int width = Width(scene.portrait.area), height = Height(scene.portrait.area);
  OverPixels({0, 0, width + 1, height + 1}, [&](int x, int y) { imaging::PastePixel(job, x, y); });
  if (scene.doubled)
    OverPixels({0, 0, 2 * width, 2 * height},
               [&](int x, int y) { imaging::DoublePixel(job, x, y); });
  OverPixels(scene.source, [&](int x, int y) { imaging::MovePixel(job, x, y); });
  OverPixels(scene.drawn, [&](int x, int y) { imaging::WritePixel(job, x, y); });
}

}  // namespace talkface::mftfg
