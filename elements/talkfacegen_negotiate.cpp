// SPDX-License-Identifier: MIT
// The picture: caps, the scene prepared for them, and portraits that change while playing. All on
// the streaming thread.
#include <utility>

#include "elements/talkfacegen_private.h"
#include "gst/bus_messages.h"

#define GST_CAT_DEFAULT talkfacegen_debug

namespace talkface {
namespace {

bool SameOptions(const SceneOptions& a, const SceneOptions& b) {
  const TargetFormat &x = a.target, &y = b.target;
  return x.width == y.width && x.height == y.height && x.format == y.format &&
         x.matrix == y.matrix && x.chroma_site == y.chroma_site && x.full_range == y.full_range &&
         a.add_borders == b.add_borders && a.idle_motion == b.idle_motion && a.label == b.label &&
         a.seed == b.seed && a.sampler_steps == b.sampler_steps && a.pixel_aspect == b.pixel_aspect;
}

}  // namespace

GstFlowReturn Generator::UpdateSourceCaps(GstCaps* caps, GstCaps** out) {
  *out = FixateVideoCaps(gst_caps_ref(caps), identity_.width, identity_.height);
  return GST_FLOW_OK;
}

bool Generator::NegotiatedSourceCaps(GstCaps* caps) {
  if (!gst_video_info_from_caps(&video_info_, caps)) return false;
  GST_INFO_OBJECT(element_, "negotiated %" GST_PTR_FORMAT, static_cast<void*>(caps));
  {
    std::lock_guard<std::mutex> lock(stream_mutex_);
    clock_.SetRate(video_info_.fps_n, video_info_.fps_d);
  }
  GST_OBJECT_LOCK(element_);
  frame_ns_ = gst_util_uint64_scale(GST_SECOND, static_cast<guint64>(video_info_.fps_d),
                                    static_cast<guint64>(video_info_.fps_n));
  GST_OBJECT_UNLOCK(element_);
  negotiated_ = true;
  UpdateLatency();
  if (PrepareScene() == GST_FLOW_OK) return true;
  negotiated_ = false;
  return false;
}

SceneOptions Generator::OptionsNow() {
  const Knobs knobs = SettingsNow();
  SceneOptions options;
  options.target = TargetOf(video_info_);
  options.add_borders = knobs.add_borders;
  options.idle_motion = knobs.idle_motion;
  options.label = knobs.label;
  options.seed = knobs.seed;
  options.sampler_steps = knobs.sampler_steps;
  options.pixel_aspect = static_cast<double>(video_info_.par_n) / video_info_.par_d;
  return options;
}

// Makes the scene fit the portrait, the caps and the settings.
GstFlowReturn Generator::PrepareScene() {
  const SceneOptions options = OptionsNow();
  {
    std::lock_guard<std::mutex> lock(identity_mutex_);
    target_options_ = options;
    target_known_ = true;
  }
  if (identity_.scene && SameOptions(identity_.options, options)) return GST_FLOW_OK;
  EngineRef<Scene> scene;
  const Status status = OpenedEngine()->Prepare(identity_.face.get(), options, scene.Out());
  if (!status.ok()) {
    PostStatus(element(), status);
    return GST_FLOW_ERROR;
  }
  identity_.scene = std::move(scene);
  identity_.options = options;
  GST_DEBUG_OBJECT(element_, "prepared the scene at %ux%u", options.target.width,
                   options.target.height);
  return GST_FLOW_OK;
}

// At a frame boundary: takes over a new portrait and changed settings.
GstFlowReturn Generator::AdoptIdentity() {
  std::unique_ptr<Identity> next;
  {
    std::unique_lock<std::mutex> lock(identity_mutex_);
    // A file's frames can wait for the portrait; live ones cannot.
    if (!live_) identity_done_.wait(lock, [&] { return identity_loads_ == 0 || flushing_; });
    next = std::move(next_identity_);
  }
  if (next) identity_ = std::move(*next);
  return PrepareScene();
}

}  // namespace talkface
