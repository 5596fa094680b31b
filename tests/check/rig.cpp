// SPDX-License-Identifier: MIT
#include "tests/check/rig.h"

#include <dlfcn.h>
#include <gst/check/gstcheck.h>

#include <algorithm>
#include <set>

namespace talkface::test {
namespace {

GstStaticPadTemplate source_pad =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
GstStaticPadTemplate sink_pad =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

}  // namespace

void PreloadEngine() {
  const char* engine = g_getenv("TALKFACE_ENGINE");
  g_assert_nonnull(engine);
  if (dlopen(engine, RTLD_NOW | RTLD_LOCAL) == nullptr) g_error("%s", dlerror());
}

Rig::Rig(const RigOptions& options) : bus(gst_bus_new()) {
  portrait = WriteSubjectPortrait(folder.path("portrait.png"));
  std::string model = TestSubject().pack;
  guint steps = 0;
  if (!options.faults.empty()) model = WriteFakePack(folder.path("pack"), options.faults);
  if (options.slow_ms > 0) {
    const SlowSubject slow(folder, options.slow_ms);
    model = slow.model;
    steps = slow.sampler_steps;
  }
  element = gst_element_factory_make_full("talkfacegen", "force-live", options.force_live, nullptr);
  fail_unless(element != nullptr, "talkfacegen is not in the plugin path");
  gst_object_ref_sink(element);
  g_object_set(element, "model", model.c_str(), "identity-image", portrait.c_str(), "sampler-steps",
               steps, "idle-motion", FALSE, nullptr);
  if (options.prepare) options.prepare(element);
  gst_element_set_bus(element, bus);
  clock = GST_TEST_CLOCK(gst_test_clock_new_with_start_time(options.clock_ns));
  gst_element_set_clock(element, GST_CLOCK(clock));
  gst_element_set_base_time(element, 0);

  harness = gst_harness_new_empty();
  gst_harness_set_live(harness, options.live);
  gst_harness_add_element_full(harness, element, &source_pad, "sink", &sink_pad, "src");
  if (options.video != nullptr) gst_harness_set_sink_caps_str(harness, options.video);
  if (options.audio != nullptr) gst_harness_set_src_caps_str(harness, options.audio);
}

Rig::~Rig() {
  gst_harness_teardown(harness);
  gst_element_set_state(element, GST_STATE_NULL);
  gst_element_set_bus(element, nullptr);
  gst_object_unref(element);
  gst_object_unref(clock);
  gst_bus_set_flushing(bus, TRUE);
  gst_object_unref(bus);
}

int16_t Rig::Sample(uint64_t index) {
  const uint64_t mixed = (index + 1) * 0x9e3779b97f4a7c15ull;
  return static_cast<int16_t>(mixed >> 48);
}

GstBuffer* Rig::Audio(uint64_t from, uint64_t count, uint32_t rate) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 2 * count, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  auto* samples = reinterpret_cast<int16_t*>(map.data);
  for (uint64_t i = 0; i < count; ++i) samples[i] = Sample(from + i);
  gst_buffer_unmap(buffer, &map);
  GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(from, GST_SECOND, rate);
  GST_BUFFER_DURATION(buffer) =
      gst_util_uint64_scale(from + count, GST_SECOND, rate) - GST_BUFFER_PTS(buffer);
  return buffer;
}

GstFlowReturn Rig::Push(uint64_t from, uint64_t count) {
  return gst_harness_push(harness, Audio(from, count));
}

void Rig::PushCut(uint64_t from, uint64_t count, uint64_t step) {
  for (uint64_t done = 0; done < count; done += step)
    fail_unless_equals_int(Push(from + done, std::min(step, count - done)), GST_FLOW_OK);
}

void Rig::PushSegment(GstClockTime start, GstClockTime base) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = start;
  segment.base = base;
  Event(gst_event_new_segment(&segment));
}

void Rig::Event(GstEvent* event) { fail_unless(gst_harness_push_event(harness, event)); }

Picture Rig::Pull() {
  GstBuffer* buffer = gst_harness_pull(harness);
  fail_unless(buffer != nullptr, "no frame came");
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_READ);
  char* checksum = g_compute_checksum_for_data(G_CHECKSUM_MD5, map.data, map.size);
  const Picture picture{GST_BUFFER_PTS(buffer),
                        GST_BUFFER_DURATION(buffer),
                        GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP) != 0,
                        GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT) != 0,
                        checksum,
                        map.size};
  g_free(checksum);
  gst_buffer_unmap(buffer, &map);
  gst_buffer_unref(buffer);
  return picture;
}

std::vector<Picture> Rig::Pull(size_t count) {
  std::vector<Picture> frames;
  while (frames.size() < count) frames.push_back(Pull());
  return frames;
}

bool Rig::Quiet() { return gst_harness_buffers_in_queue(harness) == 0; }

std::vector<Picture> Rig::Finish() {
  Event(gst_event_new_eos());
  for (;;) {
    GstEvent* event = gst_harness_pull_event(harness);
    fail_unless(event != nullptr, "no EOS came");
    const bool eos = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
    if (eos) break;
  }
  return Pull(gst_harness_buffers_in_queue(harness));
}

void Rig::Crank() { fail_unless(gst_test_clock_crank(clock)); }

GstClockTime Rig::Now() const { return gst_clock_get_time(GST_CLOCK(clock)); }

GstMessage* Rig::Await(GstMessageType type) {
  GstMessage* message = gst_bus_timed_pop_filtered(bus, kPatienceS * GST_SECOND, type);
  fail_unless(message != nullptr, "no %s message came", gst_message_type_get_name(type));
  return message;
}

GstMessage* Rig::Poll(GstMessageType type) { return gst_bus_pop_filtered(bus, type); }

guint64 Rig::Stat(const char* name) {
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  guint64 value = 0;
  fail_unless(gst_structure_get_uint64(stats, name, &value), "no statistic %s", name);
  gst_structure_free(stats);
  return value;
}

void Rig::ExpectStats(guint64 rendered, guint64 idle, guint64 dropped) {
  fail_unless_equals_uint64(Stat("rendered"), rendered);
  fail_unless_equals_uint64(Stat("idle"), idle);
  fail_unless_equals_uint64(Stat("dropped"), dropped);
  fail_unless_equals_uint64(Stat("due"), rendered + idle + dropped);
}

GstClockTime Rig::Latency(bool* live, GstClockTime* max) {
  GstQuery* query = gst_query_new_latency();
  GstPad* pad = gst_element_get_static_pad(element, "src");
  fail_unless(gst_pad_query(pad, query));
  gst_object_unref(pad);
  gboolean is_live = FALSE;
  GstClockTime min = 0;
  gst_query_parse_latency(query, &is_live, &min, max);
  gst_query_unref(query);
  *live = is_live;
  return min;
}

void ExpectTimes(const std::vector<Picture>& frames, int fps_n, int fps_d, guint64 number,
                 GstClockTime start) {
  const auto at = [&](guint64 n) {
    return start + gst_util_uint64_scale(n, GST_SECOND * static_cast<guint64>(fps_d),
                                         static_cast<guint64>(fps_n));
  };
  for (size_t i = 0; i < frames.size(); ++i) {
    fail_unless_equals_uint64(frames[i].pts, at(number + i));
    fail_unless_equals_uint64(frames[i].duration, at(number + i + 1) - at(number + i));
  }
}

std::vector<std::string> Checksums(const std::vector<Picture>& frames) {
  std::vector<std::string> sums;
  for (const Picture& frame : frames) sums.push_back(frame.checksum);
  return sums;
}

void ExpectMotion(const std::vector<Picture>& frames) {
  const std::vector<std::string> sums = Checksums(frames);
  const size_t different = std::set<std::string>(sums.begin(), sums.end()).size();
  fail_unless(different >= (TestSubject().hashes_samples ? sums.size() : 2), "%zu of %zu differ",
              different, sums.size());
}

}  // namespace talkface::test
