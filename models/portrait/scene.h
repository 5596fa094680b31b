// SPDX-License-Identifier: MIT
// An enrolled face in one output format: the still frame, and what moves in it.
#pragma once

#include <memory>
#include <optional>

#include "models/families/auwarp/controls.h"
#include "models/families/auwarp/mouth/mouth_interior.h"
#include "models/imaging/frame_writer.h"
#include "models/imaging/label.h"
#include "models/imaging/scale.h"
#include "models/portrait/blink.h"
#include "models/portrait/face_enrolment.h"
#include "models/portrait/warp_grid.h"

namespace talkface::auwarp {

// Immutable; frames may be drawn by many threads at once.
class WarpScene : public SceneModel {
 public:
  // Throws Error{kInvalid} for a frame size or pixel shape that cannot be made. `repainted`: frames
  // may bring pixels of their own (Frame::pixels).
  WarpScene(std::shared_ptr<const EnrolledFace> face, const SceneOptions& options,
            bool repainted = false);

  // What moves: the portrait at its size in the frame. Empty for a face too small to move.
  const Patch& MovingPixels() const { return straight_.empty() ? portrait_ : straight_; }

  struct Frame {
    Expression expression;
    float gain = 1;
    Emphasis emphasis;
    uint64_t time_ns = 0;
    const Patch* pixels = nullptr;  // in place of MovingPixels, of the same area
  };
  // Draws the whole frame. The same arguments give the same bytes on every thread.
  void Render(const Frame& frame, const FrameTarget& target) const;

  // What a frame is made of in which nothing but skin moves, for those who draw it elsewhere.
  struct Parts {
    const MotionFields& fields;
    const compose::FrameWriter& writer;
    const compose::FrameStore& still;
    const Patch& frame;     // the still frame's pixels where something moves, and a little around
    compose::Rect picture;  // where the portrait lies in the frame
    bool doubled;           // is the skin read from Patch::FillDoubled of MovingPixels?
  };
  Parts PartsOfFrame() const;
  // Is the frame at `time_ns` such a one: no blink, no alpha, no label over it? Its expression is
  // at rest. Never for a face too small to move.
  bool OnlySkinMoves(uint64_t time_ns) const;
  // The grid of such a frame.
  void Solve(uint64_t time_ns, WarpGrid* grid) const;

 private:
  struct Worker;   // one thread's scratch
  struct Motion {  // one frame's
    MouthPose mouth;
    HeadPose head;
    float shut = 0;
    MouthState inside;
    const Patch* source = nullptr;  // of the skin
  };
  void Store(const std::vector<uint8_t>& frame);
  Motion MotionOf(const Frame& frame) const;
  void RenderRow(const Motion& motion, int cell_row, Worker* worker,
                 const FrameTarget& target) const;
  void WarpLine(const Motion& motion, int y, const compose::Rect& span, Worker* worker,
                uint8_t* out) const;
  void DrawMouth(const Motion& motion, int y, const compose::Rect& span, Worker* worker,
                 uint8_t* out) const;
  void DrawMouthPixel(const Motion& motion, int index, int x, int y, const Worker& worker,
                      uint8_t* out) const;

  const std::shared_ptr<const EnrolledFace> face_;
  const SceneOptions options_;
  const compose::FrameWriter writer_;
  const compose::Placement placement_;
  const FaceMap map_;
  const MotionFields fields_;
  std::optional<compose::FrameStore> still_;
  std::optional<compose::Label> label_;
  Patch portrait_;  // colours over black, where something moves
  Patch fine_;      // the same, doubled, where a face is so small that sampling would blur it
  Patch straight_;  // with its alpha; only where the target has one and the portrait uses it
  Patch frame_;     // the still frame there, where borders, label or alpha make it another
  const Patch& Source() const { return fine_.empty() ? portrait_ : fine_; }
  std::optional<MouthInterior> interior_;
  std::optional<Lids> lids_;
  float lip_softness_ = 0;  // of the lips' edges in this picture, in face heights
  float head_at_mouth_ = 0, nearness_at_mouth_ = 0;  // shares of the head's motion
};

}  // namespace talkface::auwarp
