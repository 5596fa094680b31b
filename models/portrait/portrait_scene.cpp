// SPDX-License-Identifier: MIT
#include "models/portrait/portrait_scene.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace talkface::portrait {
namespace {

using imaging::Rect;

constexpr float kSmallestFace = 12;  // pixels: below it nothing is moved
constexpr float kFineBelow = 420;    // pixels of a face's height: above it nothing blurs visibly

const SceneSettings& Checked(const SceneSettings& options) {
  if (!(options.pixel_aspect > 0.01 && options.pixel_aspect < 100)) {
    throw Error(Code::kInvalid, "The pixel aspect ratio " + std::to_string(options.pixel_aspect) +
                                    " cannot be shown: it must be between 1/100 and 100.");
  }
  return options;
}

bool HasAlpha(PixelFormat format) {
  return format == PixelFormat::kRGBA || format == PixelFormat::kBGRA;
}

bool Opaque(const uint8_t* rgba, size_t stride, const Rect& size) {
  for (int y = size.y0; y < size.y1; ++y)
    for (int x = size.x0; x < size.x1; ++x)
      if (rgba[static_cast<size_t>(y) * stride + 4 * static_cast<size_t>(x) + 3] != 255)
        return false;
  return true;
}

}  // namespace

struct PortraitScene::Worker {
  WarpGrid grid;
  std::vector<int32_t> x, y;                                // a row's sources
  std::vector<int32_t> upper_x, upper_y, lower_x, lower_y;  // and as either lip
  std::vector<uint8_t> band;
  Patch painted, fine;  // a frame's own pixels, and the same doubled
};

PortraitScene::PortraitScene(std::shared_ptr<const EnrolledFace> face, const SceneSettings& options,
                             const MakeMouth& make_mouth, bool repainted)
    : face_(std::move(face)),
      options_(Checked(options)),
      writer_(options.target),
      placement_(imaging::Place(face_->width, face_->height, options.target, options.add_borders,
                                options.pixel_aspect)),
      map_(face_->geometry, placement_.scale_x, placement_.scale_y, placement_.rect.x0,
           placement_.rect.y0),
      fields_(map_.PixelsPerUnit() < kSmallestFace
                  ? MotionFields()
                  : BuildMotionFields(face_->geometry, map_, placement_.rect,
                                      options.idle_motion || repainted)) {
  if (options.label) {
    label_.emplace(static_cast<int>(options.target.width), static_cast<int>(options.target.height));
  }
  Store(imaging::Scale(face_->Portrait(), placement_));
  if (fields_.Count() == 0) return;
  mouth_ = make_mouth({face_->Portrait(), placement_, face_->geometry, map_, fields_, Source()});
  FindCells([this](size_t node) { return mouth_->Reaches(node); }, &fields_);
  if (options.idle_motion) lids_.emplace(face_->geometry, map_, portrait_);
  FindHeadAtMouth();
}

void PortraitScene::FindHeadAtMouth() {
  const int column = std::clamp(
      static_cast<int>(std::lrintf((map_.x - fields_.x0) / static_cast<float>(fields_.step))), 0,
      fields_.columns - 1);
  const int row = std::clamp(
      static_cast<int>(std::lrintf((map_.y - fields_.y0) / static_cast<float>(fields_.step))), 0,
      fields_.rows - 1);
  const size_t node = static_cast<size_t>(row * fields_.columns + column);
  head_at_mouth_.share = fields_.head[node];
  head_at_mouth_.nearness = fields_.nearness[node];
  head_at_mouth_.centre = face_->geometry.box_centre;
}

// Keeps what rendering needs of the portrait at its size in the frame.
void PortraitScene::Store(const std::vector<uint8_t>& picture) {
  const Rect where = placement_.rect, frame = writer_.Frame();
  const Rect moving =
      Rect{fields_.x0 - 2, fields_.y0 - 2, fields_.x0 + fields_.columns * fields_.step + 2,
           fields_.y0 + fields_.rows * fields_.step + 2}
          .Intersect(frame);
  const Rect seen = moving.Intersect(where);
  const size_t stride = 4 * static_cast<size_t>(where.x1 - where.x0);
  std::vector<uint8_t> shown = picture;
  if (fields_.Count() > 0) {
    const size_t first = static_cast<size_t>(seen.y0 - where.y0) * stride +
                         4 * static_cast<size_t>(seen.x0 - where.x0);
    const Rect size{0, 0, seen.x1 - seen.x0, seen.y1 - seen.y0};
    if (HasAlpha(options_.target.format) && !Opaque(&picture[first], stride, size))
      straight_.Fill(&picture[first], stride, seen);
    std::vector<uint8_t> flat = picture;
    imaging::CompositeOverBlack(flat.data(), flat.size() / 4);
    portrait_.Fill(&flat[first], stride, seen);
    if (map_.PixelsPerUnit() < kFineBelow) fine_.FillDoubled(portrait_);
    if (!HasAlpha(options_.target.format)) shown = std::move(flat);
  } else if (!HasAlpha(options_.target.format)) {
    imaging::CompositeOverBlack(shown.data(), shown.size() / 4);
  }
  std::vector<uint8_t> whole = imaging::Framed(shown, where, frame);
  const size_t whole_stride = 4 * static_cast<size_t>(frame.x1);
  if (label_) label_->Draw(whole.data(), static_cast<ptrdiff_t>(whole_stride), frame);
  still_.emplace(writer_,
                 imaging::PixelView{whole.data(), static_cast<ptrdiff_t>(whole_stride), frame});
  // Without borders, label and alpha it is the portrait once more.
  const bool same = seen.x0 == moving.x0 && seen.y0 == moving.y0 && seen.x1 == moving.x1 &&
                    seen.y1 == moving.y1 && !label_ && straight_.empty();
  if (fields_.Count() > 0 && !same) {
    frame_.Fill(
        &whole[static_cast<size_t>(moving.y0) * whole_stride + 4 * static_cast<size_t>(moving.x0)],
        whole_stride, moving);
  }
}

PortraitScene::Motion PortraitScene::MotionOf(const Frame& frame) const {
  Motion motion;
  motion.source = straight_.empty() ? &Source() : &straight_;
  if (frame.mouth != nullptr && !mouth_->AtRest(*frame.mouth)) motion.mouth = frame.mouth;
  motion.head = head_at_mouth_;
  if (options_.idle_motion) {
    motion.head.pose = HeadPoseAt(frame.time_ns, options_.seed, frame.emphasis);
    motion.shut = BlinkAt(frame.time_ns, options_.seed);
  }
  return motion;
}

// The pixels that the mouth's layer gives the frame, if any, as they are to be read.
const Patch* PortraitScene::Repainted(const Frame& frame, Worker* worker) const {
  if (frame.mouth == nullptr) return nullptr;
  const Patch* painted = mouth_->Repaint(*frame.mouth, MovingPixels(), &worker->painted);
  if (painted == nullptr || !straight_.empty() || fine_.empty()) return painted;
  worker->fine.FillDoubled(*painted);
  return &worker->fine;
}

void PortraitScene::SolveGrid(const Motion& motion, WarpGrid* grid) const {
  grid->Solve(fields_, map_, face_->geometry, {motion.head.pose, mouth_.get(), motion.mouth});
}

void PortraitScene::Render(const Frame& frame, const FrameTarget& target) const {
  still_->CopyTo(target);
  if (fields_.Count() == 0) return;
  Motion motion = MotionOf(frame);
  thread_local Worker worker;
  const Patch* painted = Repainted(frame, &worker);
  if (!options_.idle_motion && motion.mouth == nullptr && painted == nullptr) return;
  if (painted != nullptr) motion.source = painted;
  SolveGrid(motion, &worker.grid);
  for (int row = 0; row + 1 < fields_.rows; ++row) RenderRow(motion, row, &worker, target);
}

PortraitScene::Parts PortraitScene::PartsOfFrame() const {
  return {fields_,         writer_,
          *still_,         frame_.empty() ? portrait_ : frame_,
          placement_.rect, straight_.empty() && !fine_.empty()};
}

bool PortraitScene::OnlySkinMoves(uint64_t time_ns) const {
  if (fields_.Count() == 0 || !straight_.empty()) return false;
  if (label_ && !label_->area().Intersect(portrait_.area()).Empty()) return false;
  Frame frame;
  frame.time_ns = time_ns;
  return MotionOf(frame).shut <= 0;
}

void PortraitScene::Solve(uint64_t time_ns, WarpGrid* grid) const {
  Frame frame;
  frame.time_ns = time_ns;
  SolveGrid(MotionOf(frame), grid);
}

// The pixels of one row of cells.
void PortraitScene::RenderRow(const Motion& motion, int cell_row, Worker* worker,
                              const FrameTarget& target) const {
  const bool above_too = writer_.target().chroma_site == ChromaSite::kTopLeftCosited;
  // Where the filter looks upwards all rows are of one width, so that the row above is known.
  const int from = above_too ? 0 : fields_.cells_from[static_cast<size_t>(cell_row)];
  const int to = above_too ? fields_.columns - 1 : fields_.cells_to[static_cast<size_t>(cell_row)];
  if (from >= to) return;
  const Rect cells{fields_.x0 + from * fields_.step, fields_.y0 + cell_row * fields_.step,
                   fields_.x0 + to * fields_.step, fields_.y0 + (cell_row + 1) * fields_.step};
  const Rect span = cells.Intersect(placement_.rect);
  if (span.Empty()) return;
  const Rect aligned = writer_.Affected(span), source = writer_.Source(aligned);
  const ptrdiff_t stride = 4 * static_cast<ptrdiff_t>(source.x1 - source.x0);
  const Patch& frame = frame_.empty() ? portrait_ : frame_;
  worker->band.resize(static_cast<size_t>(stride) * static_cast<size_t>(source.y1 - source.y0));
  for (int y = source.y0; y < source.y1; ++y) {
    uint8_t* row = worker->band.data() + (y - source.y0) * stride;
    const bool still = y < std::max(fields_.y0, placement_.rect.y0) || y >= span.y1;
    const int first = still ? source.x1 : span.x0, last = still ? source.x1 : span.x1;
    std::memcpy(row, frame.At(source.x0, y), 4 * static_cast<size_t>(first - source.x0));
    std::memcpy(row + 4 * (last - source.x0), frame.At(last, y),
                4 * static_cast<size_t>(source.x1 - last));
    if (!still) WarpLine(motion, y, span, worker, row + 4 * (span.x0 - source.x0));
  }
  writer_.Write({worker->band.data(), stride, source}, aligned, target);
}

// Row `y` of the span's columns, from the portrait.
void PortraitScene::WarpLine(const Motion& motion, int y, const Rect& span, Worker* worker,
                             uint8_t* out) const {
  const int count = span.x1 - span.x0, step = fields_.step;
  const int row = (y - fields_.y0) / step, inside = (y - fields_.y0) % step;
  const int first = (span.x0 - fields_.x0) / step;
  const int cells = (span.x1 - fields_.x0 + step - 1) / step - first;
  // The picture may begin within a cell.
  const int skipped = span.x0 - (fields_.x0 + first * step);
  const size_t size = static_cast<size_t>(cells * step);
  worker->x.resize(size);
  worker->y.resize(size);
  const BackwardGrid& skin = worker->grid.skin();
  const size_t at = static_cast<size_t>(row * fields_.columns + first),
               below = at + static_cast<size_t>(fields_.columns);
  ExpandRow(&skin.x[at], &skin.x[below], inside, {fields_.log2_step, cells}, worker->x.data());
  ExpandRow(&skin.y[at], &skin.y[below], inside, {fields_.log2_step, cells}, worker->y.data());
  int32_t *x = worker->x.data() + skipped, *source_y = worker->y.data() + skipped;
  for (int i = 0; i < count; ++i) {
    x[i] += 256 * (span.x0 + i);
    source_y[i] += 256 * y;
  }
  if (straight_.empty()) {
    motion.source->Sample(x, source_y, count, out);
  } else {
    motion.source->SampleStraight(x, source_y, count, out);
  }
  if (motion.shut > 0) lids_->Draw({span.x0, count, y, x, source_y, out}, motion.shut);
  if (row >= fields_.mouth_top && row < fields_.mouth_bottom && motion.mouth != nullptr)
    DrawMouth(motion, y, span, worker, out);
  if (label_) label_->Draw(out, 0, {span.x0, y, span.x1, y + 1});
}

void PortraitScene::DrawMouth(const Motion& motion, int y, const Rect& span, Worker* worker,
                              uint8_t* out) const {
  const int step = fields_.step;
  const int row = (y - fields_.y0) / step, inside = (y - fields_.y0) % step;
  int from = fields_.mouth_from, to = fields_.mouth_to;
  while (from < to && !worker->grid.Seam(fields_, from, row)) ++from;
  while (from < to && !worker->grid.Seam(fields_, to - 1, row)) --to;
  if (from >= to) return;
  const size_t at = static_cast<size_t>(row * fields_.columns + from),
               below = at + static_cast<size_t>(fields_.columns);
  const auto expand = [&](const std::vector<int32_t>& grid, std::vector<int32_t>* places) {
    places->resize(static_cast<size_t>((to - from) * step));
    ExpandRow(&grid[at], &grid[below], inside, {fields_.log2_step, to - from}, places->data());
  };
  expand(worker->grid.upper().x, &worker->upper_x);
  expand(worker->grid.upper().y, &worker->upper_y);
  expand(worker->grid.lower().x, &worker->lower_x);
  expand(worker->grid.lower().y, &worker->lower_y);
  const int left = fields_.x0 + from * step, right = fields_.x0 + to * step;
  const int first = std::max(left, span.x0), last = std::min(right, span.x1);
  if (first >= last) return;
  const size_t skipped = static_cast<size_t>(first - left);
  mouth_->DrawRow(*motion.mouth,
                  {first, last - first, y, &worker->upper_x[skipped], &worker->upper_y[skipped],
                   &worker->lower_x[skipped], &worker->lower_y[skipped], motion.head,
                   out + 4 * (first - span.x0)});
}

}  // namespace talkface::portrait
