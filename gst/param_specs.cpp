// SPDX-License-Identifier: MIT
#include "gst/param_specs.h"

namespace talkface {

GParamSpec* CopyParamSpec(GParamSpec* spec) {
  const char* name = g_param_spec_get_name(spec);
  const char* nick = g_param_spec_get_nick(spec);
  const char* blurb = g_param_spec_get_blurb(spec);
  const auto flags = static_cast<GParamFlags>(spec->flags & ~GST_PARAM_CONTROLLABLE);
  if (G_IS_PARAM_SPEC_BOOLEAN(spec)) {
    auto* from = G_PARAM_SPEC_BOOLEAN(spec);
    return g_param_spec_boolean(name, nick, blurb, from->default_value, flags);
  }
  if (G_IS_PARAM_SPEC_UINT(spec)) {
    auto* from = G_PARAM_SPEC_UINT(spec);
    return g_param_spec_uint(name, nick, blurb, from->minimum, from->maximum, from->default_value,
                             flags);
  }
  if (G_IS_PARAM_SPEC_UINT64(spec)) {
    auto* from = G_PARAM_SPEC_UINT64(spec);
    return g_param_spec_uint64(name, nick, blurb, from->minimum, from->maximum, from->default_value,
                               flags);
  }
  if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    auto* from = G_PARAM_SPEC_DOUBLE(spec);
    return g_param_spec_double(name, nick, blurb, from->minimum, from->maximum, from->default_value,
                               flags);
  }
  if (G_IS_PARAM_SPEC_STRING(spec)) {
    return g_param_spec_string(name, nick, blurb, G_PARAM_SPEC_STRING(spec)->default_value, flags);
  }
  if (G_IS_PARAM_SPEC_ENUM(spec)) {
    return g_param_spec_enum(name, nick, blurb, G_PARAM_SPEC_VALUE_TYPE(spec),
                             G_PARAM_SPEC_ENUM(spec)->default_value, flags);
  }
  if (G_IS_PARAM_SPEC_BOXED(spec)) {
    return g_param_spec_boxed(name, nick, blurb, G_PARAM_SPEC_VALUE_TYPE(spec), flags);
  }
  return nullptr;
}

}  // namespace talkface
