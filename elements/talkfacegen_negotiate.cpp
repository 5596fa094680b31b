// SPDX-License-Identifier: MIT
// The picture: caps, the scene prepared for them, and portraits that change while playing. All on
// the streaming thread.
#include <string>
#include <utility>

#include "elements/talkfacegen_private.h"
#include "gst/bus_messages.h"

#define GST_CAT_DEFAULT talkfacegen_debug

namespace talkface {
namespace {

constexpr const char* kStepsOption = "sampler-steps";

bool HasOption(const EngineInfo& info, const char* key) {
  for (uint32_t i = 0; i < info.option_count; ++i)
    if (g_str_equal(info.options[i].key, key)) return true;
  return false;
}

}  // namespace

bool SceneSetup::operator==(const SceneSetup& other) const {
  const TargetFormat &x = target, &y = other.target;
  return x.width == y.width && x.height == y.height && x.format == y.format &&
         x.matrix == y.matrix && x.chroma_site == y.chroma_site && x.full_range == y.full_range &&
         add_borders == other.add_borders && idle_motion == other.idle_motion &&
         label == other.label && seed == other.seed && sampler_steps == other.sampler_steps &&
         pixel_aspect == other.pixel_aspect;
}

Status MakeScene(Engine* engine, Face* face, const SceneSetup& setup, Scene** out) {
  SceneOptions options;
  options.target = &setup.target;
  options.add_borders = setup.add_borders;
  options.idle_motion = setup.idle_motion;
  options.label = setup.label;
  options.seed = setup.seed;
  options.pixel_aspect = setup.pixel_aspect;
  const std::string steps = std::to_string(setup.sampler_steps);
  const Option option{kStepsOption, steps.c_str()};
  if (setup.sampler_steps > 0 && HasOption(engine->Info(), kStepsOption)) {
    options.options = &option;
    options.option_count = 1;
  }
  return engine->Prepare(face, options, out);
}

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

SceneSetup Generator::SetupNow() {
  const Knobs knobs = SettingsNow();
  SceneSetup setup;
  setup.target = TargetOf(video_info_);
  setup.add_borders = knobs.add_borders;
  setup.idle_motion = knobs.idle_motion;
  setup.label = knobs.label;
  setup.seed = knobs.seed;
  setup.sampler_steps = knobs.sampler_steps;
  setup.pixel_aspect = static_cast<double>(video_info_.par_n) / video_info_.par_d;
  return setup;
}

// Makes the scene fit the portrait, the caps and the settings.
GstFlowReturn Generator::PrepareScene() {
  const SceneSetup setup = SetupNow();
  {
    std::lock_guard<std::mutex> lock(identity_mutex_);
    target_setup_ = setup;
    target_known_ = true;
  }
  if (identity_.scene && identity_.setup == setup) return GST_FLOW_OK;
  EngineRef<Scene> scene;
  const Status status = MakeScene(OpenedEngine().get(), identity_.face.get(), setup, scene.Out());
  if (!status.ok()) {
    PostStatus(element(), status);
    return GST_FLOW_ERROR;
  }
  identity_.scene = std::move(scene);
  identity_.setup = setup;
  GST_DEBUG_OBJECT(element_, "prepared the scene at %ux%u", setup.target.width,
                   setup.target.height);
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
