// SPDX-License-Identifier: MIT
// The properties: one table, setters that only store, and the signal's work.
#include "elements/talkfacegen_private.h"

#define GST_CAT_DEFAULT talkfacegen_debug

namespace talkface {
namespace {

enum PropertyId : guint {
  kPropIdentityImage = 1,
  kPropModel,
  kPropDevice,
  kPropPrecision,
  kPropDeviceMemoryLimit,
  kPropLookAhead,
  kPropProcessingTime,
  kPropSamplerSteps,
  kPropSeed,
  kPropExpressionGain,
  kPropIdleMotion,
  kPropAddBorders,
  kPropForceLive,
  kPropBatchTimeout,
  kPropLabel,
  kPropPostMessages,
  kPropStats,
};

constexpr GParamFlags Flags(int extra) {
  return static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | extra);
}
constexpr GParamFlags kReady = Flags(GST_PARAM_MUTABLE_READY);
constexpr GParamFlags kPlaying = Flags(GST_PARAM_MUTABLE_PLAYING);

GType PrecisionType() {
  static gsize type = 0;
  if (g_once_init_enter(&type)) {
    static const GEnumValue values[] = {
        {static_cast<int>(Precision::kAuto), "The fastest that the device does well", "auto"},
        {static_cast<int>(Precision::kFloat32), "32-bit floats", "float32"},
        {static_cast<int>(Precision::kBfloat16), "bfloat16", "bfloat16"},
        {static_cast<int>(Precision::kFloat16), "16-bit floats", "float16"},
        {0, nullptr, nullptr}};
    g_once_init_leave(&type, g_enum_register_static("GstTalkFaceGenPrecision", values));
  }
  return type;
}

void InstallModelProperties(GObjectClass* klass) {
  const ModelSettings model;
  g_object_class_install_property(
      klass, kPropIdentityImage,
      g_param_spec_string("identity-image", "Identity image",
                          "File of the portrait (JPEG, PNG, WebP, ...) whose face speaks; "
                          "required. Changed while playing, the new face appears at the next frame "
                          "once it is read",
                          nullptr, kPlaying));
  g_object_class_install_property(
      klass, kPropModel,
      g_param_spec_string("model", "Model",
                          "Model pack: a name, looked up in TALKFACE_MODEL_PATH, the user's data "
                          "folder and the install folder, or a path",
                          model.model.c_str(), kReady));
  g_object_class_install_property(
      klass, kPropDevice,
      g_param_spec_string("device", "Device", "Where the model runs: auto, cpu, cuda or cuda:N",
                          model.device.c_str(), kReady));
  g_object_class_install_property(
      klass, kPropPrecision,
      g_param_spec_enum("precision", "Precision", "Number format that the model computes in",
                        PrecisionType(), static_cast<int>(model.precision), kReady));
  g_object_class_install_property(
      klass, kPropDeviceMemoryLimit,
      g_param_spec_uint("device-memory-limit", "Device memory limit",
                        "MiB of a CUDA device's memory that the networks of this process may use; "
                        "a stream that needs more fails. Where elements ask for different limits "
                        "the smallest counts; 0: no limit",
                        0, G_MAXUINT, model.memory_limit_mib, kReady));
  g_object_class_install_property(
      klass, kPropSamplerSteps,
      g_param_spec_uint("sampler-steps", "Sampler steps",
                        "Steps of a diffusion model's sampler; 0: the pack's default. Other "
                        "models ignore it",
                        0, 1000, 0, kReady));
  g_object_class_install_property(
      klass, kPropSeed,
      g_param_spec_uint64("seed", "Seed", "Seed of noise and idle motion", 0, G_MAXUINT64, 0,
                          kReady));
}

void InstallTimeProperties(GObjectClass* klass) {
  const Knobs knobs;
  g_object_class_install_property(
      klass, kPropLookAhead,
      g_param_spec_uint64("look-ahead", "Look-ahead",
                          "Future audio used for a frame, in nanoseconds, kept within the pack's "
                          "range; part of the latency. Default (-1): the pack's",
                          0, G_MAXUINT64, knobs.look_ahead, kPlaying));
  g_object_class_install_property(
      klass, kPropProcessingTime,
      g_param_spec_uint64("processing-time", "Processing time",
                          "Time in nanoseconds that making a frame may take in a live pipeline; "
                          "part of the latency",
                          0, 10 * GST_SECOND, knobs.processing_time, kPlaying));
  g_object_class_install_property(
      klass, kPropBatchTimeout,
      g_param_spec_uint64("batch-timeout", "Batch timeout",
                          "Longest wait in nanoseconds for other streams' frames to be rendered "
                          "together with ours, at most one frame",
                          0, GST_SECOND, knobs.batch_timeout, kPlaying));
  g_object_class_install_property(
      klass, kPropForceLive,
      g_param_spec_boolean("force-live", "Force live",
                           "Make idle frames on the clock even when upstream is not live", FALSE,
                           Flags(G_PARAM_CONSTRUCT_ONLY)));
}

void InstallPictureProperties(GObjectClass* klass) {
  const Knobs knobs;
  g_object_class_install_property(
      klass, kPropExpressionGain,
      g_param_spec_double("expression-gain", "Expression gain",
                          "Factor on the action units: 0 is a still face, 1 as the model says", 0.0,
                          4.0, knobs.expression_gain,
                          Flags(GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE)));
  g_object_class_install_property(klass, kPropIdleMotion,
                                  g_param_spec_boolean("idle-motion", "Idle motion",
                                                       "Blinks, breathing and slight head movement",
                                                       knobs.idle_motion, kPlaying));
  g_object_class_install_property(
      klass, kPropAddBorders,
      g_param_spec_boolean("add-borders", "Add borders",
                           "Keep the portrait's shape in a frame of another shape; otherwise it is "
                           "stretched",
                           knobs.add_borders, kPlaying));
  g_object_class_install_property(
      klass, kPropLabel,
      g_param_spec_boolean("label", "Label",
                           "Draw a small visible mark that says the video is synthetic",
                           knobs.label, kPlaying));
  g_object_class_install_property(
      klass, kPropPostMessages,
      g_param_spec_boolean("post-messages", "Post messages",
                           "Post an element message for every frame: times, idle flag, action "
                           "units",
                           knobs.post_messages, kPlaying));
  g_object_class_install_property(
      klass, kPropStats,
      g_param_spec_boxed("stats", "Statistics",
                         "Frames due, rendered, idle and dropped since the start (due is the sum "
                         "of the others), render times in nanoseconds, batch sizes of the engine",
                         GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

std::string StringOf(const GValue* value, const std::string& fallback) {
  const char* text = g_value_get_string(value);
  return text != nullptr ? text : fallback;
}

// What the engine is opened with, out of a property's value and into it.
void Store(guint id, const GValue* value, ModelSettings* model) {
  if (id == kPropModel) model->model = StringOf(value, ModelSettings().model);
  if (id == kPropDevice) model->device = StringOf(value, ModelSettings().device);
  if (id == kPropPrecision) model->precision = static_cast<Precision>(g_value_get_enum(value));
  if (id == kPropDeviceMemoryLimit) model->memory_limit_mib = g_value_get_uint(value);
}

void Show(guint id, const ModelSettings& model, GValue* value) {
  if (id == kPropModel) g_value_set_string(value, model.model.c_str());
  if (id == kPropDevice) g_value_set_string(value, model.device.c_str());
  if (id == kPropPrecision) g_value_set_enum(value, static_cast<int>(model.precision));
  if (id == kPropDeviceMemoryLimit) g_value_set_uint(value, model.memory_limit_mib);
}

}  // namespace

void InstallProperties(GObjectClass* klass) {
  InstallModelProperties(klass);
  InstallTimeProperties(klass);
  InstallPictureProperties(klass);
  gst_type_mark_as_plugin_api(PrecisionType(), static_cast<GstPluginAPIFlags>(0));
}

void Generator::SetProperty(guint id, const GValue* value, GParamSpec* spec) {
  if (id == kPropForceLive) {  // construct-only: no other thread knows us yet
    gst_aggregator_set_force_live(aggregator(), g_value_get_boolean(value));
    return;
  }
  GST_OBJECT_LOCK(element_);
  switch (id) {
    case kPropIdentityImage:
      identity_path_ = StringOf(value, "");
      break;
    case kPropModel:
    case kPropDevice:
    case kPropPrecision:
    case kPropDeviceMemoryLimit:
      Store(id, value, &model_);
      break;
    case kPropLookAhead:
      knobs_.look_ahead = g_value_get_uint64(value);
      break;
    case kPropProcessingTime:
      knobs_.processing_time = g_value_get_uint64(value);
      break;
    case kPropSamplerSteps:
      knobs_.sampler_steps = g_value_get_uint(value);
      break;
    case kPropSeed:
      knobs_.seed = g_value_get_uint64(value);
      break;
    case kPropExpressionGain:
      knobs_.expression_gain = g_value_get_double(value);
      break;
    case kPropIdleMotion:
      knobs_.idle_motion = g_value_get_boolean(value);
      break;
    case kPropAddBorders:
      knobs_.add_borders = g_value_get_boolean(value);
      break;
    case kPropBatchTimeout:
      knobs_.batch_timeout = g_value_get_uint64(value);
      break;
    case kPropLabel:
      knobs_.label = g_value_get_boolean(value);
      break;
    case kPropPostMessages:
      knobs_.post_messages = g_value_get_boolean(value);
      break;
    default:
      GST_OBJECT_UNLOCK(element_);
      G_OBJECT_WARN_INVALID_PROPERTY_ID(element_, id, spec);
      return;
  }
  GST_OBJECT_UNLOCK(element_);
  // What must not wait for the next frame.
  if (id == kPropIdentityImage) RequestIdentity();
  if (id == kPropLookAhead) ApplyLookAhead();
  if (id == kPropLookAhead || id == kPropProcessingTime) UpdateLatency();
}

void Generator::GetProperty(guint id, GValue* value, GParamSpec* spec) {
  if (id == kPropStats) {
    g_value_take_boxed(value, MakeStats());
    return;
  }
  if (id == kPropForceLive) {
    g_value_set_boolean(value, gst_aggregator_get_force_live(aggregator()));
    return;
  }
  const Knobs knobs = SettingsNow();
  const ModelSettings model = SettingsOfModel();
  switch (id) {
    case kPropIdentityImage:
      GST_OBJECT_LOCK(element_);
      g_value_set_string(value, identity_path_.empty() ? nullptr : identity_path_.c_str());
      GST_OBJECT_UNLOCK(element_);
      break;
    case kPropModel:
    case kPropDevice:
    case kPropPrecision:
    case kPropDeviceMemoryLimit:
      Show(id, model, value);
      break;
    case kPropLookAhead:
      g_value_set_uint64(value, EffectiveLookAhead(knobs));
      break;
    case kPropProcessingTime:
      g_value_set_uint64(value, knobs.processing_time);
      break;
    case kPropSamplerSteps:
      g_value_set_uint(value, knobs.sampler_steps);
      break;
    case kPropSeed:
      g_value_set_uint64(value, knobs.seed);
      break;
    case kPropExpressionGain:
      g_value_set_double(value, knobs.expression_gain);
      break;
    case kPropIdleMotion:
      g_value_set_boolean(value, knobs.idle_motion);
      break;
    case kPropAddBorders:
      g_value_set_boolean(value, knobs.add_borders);
      break;
    case kPropBatchTimeout:
      g_value_set_uint64(value, knobs.batch_timeout);
      break;
    case kPropLabel:
      g_value_set_boolean(value, knobs.label);
      break;
    case kPropPostMessages:
      g_value_set_boolean(value, knobs.post_messages);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(element_, id, spec);
      break;
  }
}

}  // namespace talkface
