// SPDX-License-Identifier: MIT
// An enrolled face in one output format: the still frame, and what moves in it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/imaging/frame_writer.h"
#include "models/imaging/label.h"
#include "models/imaging/scale.h"
#include "models/portrait/blink.h"
#include "models/portrait/face_enrolment.h"
#include "models/portrait/mouth_layer.h"
#include "models/portrait/warp_grid.h"

namespace talkface::portrait {

using MakeMouth = std::function<std::unique_ptr<const MouthLayer>(const MouthSite& site)>;

// Immutable; frames may be drawn by many threads at once.
class PortraitScene : public SceneModel {
 public:
  // Throws Error{kInvalid} for a frame size or pixel shape that cannot be made. `make_mouth` is
  // called once, unless the face is too small to move. `repainted`: may its layer repaint?
  PortraitScene(std::shared_ptr<const EnrolledFace> face, const SceneSettings& options,
                const MakeMouth& make_mouth, bool repainted = false);

  const FaceGeometry& geometry() const { return face_->geometry; }
  // What moves: the portrait at its size in the frame. Empty for a face too small to move.
  const Patch& MovingPixels() const { return straight_.empty() ? portrait_ : straight_; }

  struct Frame {
    const MouthMotion* mouth = nullptr;  // of the scene's layer; null: its mouth is the portrait's
    Emphasis emphasis;
    uint64_t time_ns = 0;
  };
  // Draws the whole frame. The same arguments give the same bytes on every thread.
  void Render(const Frame& frame, const FrameTarget& target) const;

  // What a frame is made of in which nothing but skin moves, for those who draw it elsewhere.
  struct Parts {
    const MotionFields& fields;
    const imaging::FrameWriter& writer;
    const imaging::FrameStore& still;
    const Patch& frame;     // the still frame's pixels where something moves, and a little around
    imaging::Rect picture;  // where the portrait lies in the frame
    bool doubled;           // is the skin read from Patch::FillDoubled of MovingPixels?
  };
  Parts PartsOfFrame() const;
  // Is the frame at `time_ns`, its mouth at rest, such a one: no blink, no alpha, no label over it?
  // Never for a face too small to move.
  bool OnlySkinMoves(uint64_t time_ns) const;
  // The grid of such a frame.
  void Solve(uint64_t time_ns, WarpGrid* grid) const;

 private:
  struct Worker;                         // one thread's scratch
  struct Motion {                        // one frame's
    const MouthMotion* mouth = nullptr;  // null: at rest
    HeadAtMouth head;
    float shut = 0;
    const Patch* source = nullptr;  // of the skin
  };
  void Store(const std::vector<uint8_t>& picture);
  void FindHeadAtMouth();
  Motion MotionOf(const Frame& frame) const;
  const Patch* Repainted(const Frame& frame, Worker* worker) const;
  void SolveGrid(const Motion& motion, WarpGrid* grid) const;
  void RenderRow(const Motion& motion, int cell_row, Worker* worker,
                 const FrameTarget& target) const;
  void WarpLine(const Motion& motion, int y, const imaging::Rect& span, Worker* worker,
                uint8_t* out) const;
  void DrawMouth(const Motion& motion, int y, const imaging::Rect& span, Worker* worker,
                 uint8_t* out) const;

  const std::shared_ptr<const EnrolledFace> face_;
  const SceneSettings options_;
  const imaging::FrameWriter writer_;
  const imaging::Placement placement_;
  const FaceMap map_;
  MotionFields fields_;
  std::optional<imaging::FrameStore> still_;
  std::optional<imaging::Label> label_;
  Patch portrait_;  // colours over black, where something moves
  Patch fine_;      // the same, doubled, where a face is so small that sampling would blur it
  Patch straight_;  // with its alpha; only where the target has one and the portrait uses it
  Patch frame_;     // the still frame there, where borders, label or alpha make it another
  const Patch& Source() const { return fine_.empty() ? portrait_ : fine_; }
  std::unique_ptr<const MouthLayer> mouth_;  // null for a face too small to move
  std::optional<Lids> lids_;
  HeadAtMouth head_at_mouth_;  // without a pose
};

}  // namespace talkface::portrait
