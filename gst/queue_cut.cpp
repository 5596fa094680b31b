// SPDX-License-Identifier: MIT
#include "gst/queue_cut.h"

#include <mutex>

namespace talkface {

struct QueueCut::Counts {
  explicit Counts(GstPad* pad) : output(pad) {
    if (output != nullptr) gst_object_ref(output);
  }
  ~Counts() {
    if (output != nullptr) gst_object_unref(output);
  }
  Counts(const Counts&) = delete;
  Counts& operator=(const Counts&) = delete;

  void Enter(gint64 buffers) {
    std::lock_guard<std::mutex> lock(mutex);
    entered += buffers;
  }
  // False: these are to be dropped.
  bool Leave(gint64 buffers) {
    const bool wanted = output == nullptr || gst_pad_is_linked(output);
    std::lock_guard<std::mutex> lock(mutex);
    const bool is_cut = left < cut;
    left += buffers;
    return wanted && !is_cut;
  }
  void Cut() {
    std::lock_guard<std::mutex> lock(mutex);
    cut = entered;
  }
  void Reset() {
    std::lock_guard<std::mutex> lock(mutex);
    entered = left = cut = 0;
  }

  GstPad* const output;
  std::mutex mutex;              // guards what follows; never held over a call into GStreamer
  gint64 entered = 0, left = 0;  // buffers
  gint64 cut = 0;                // buffers before this one are dropped
};

namespace {

constexpr auto kData =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
constexpr auto kDataAndFlush = static_cast<GstPadProbeType>(kData | GST_PAD_PROBE_TYPE_EVENT_FLUSH);

gint64 BuffersIn(GstPadProbeInfo* info) {
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) == 0) return 1;
  return gst_buffer_list_length(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
}

template <typename Counts>
GstPadProbeReturn OnEnter(GstPad* pad, GstPadProbeInfo* info, gpointer user) {
  Counts& counts = **static_cast<std::shared_ptr<Counts>*>(user);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_FLUSH) == 0) {
    counts.Enter(BuffersIn(info));
  } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_FLUSH_STOP) {
    counts.Reset();  // the queue empties itself on a flush, without its buffers leaving
  }
  return GST_PAD_PROBE_OK;
}

template <typename Counts>
GstPadProbeReturn OnLeave(GstPad* pad, GstPadProbeInfo* info, gpointer user) {
  Counts& counts = **static_cast<std::shared_ptr<Counts>*>(user);
  return counts.Leave(BuffersIn(info)) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

template <typename Counts>
void AddProbe(GstElement* queue, const char* pad_name, GstPadProbeType type,
              GstPadProbeCallback callback, const std::shared_ptr<Counts>& counts) {
  GstPad* pad = gst_element_get_static_pad(queue, pad_name);
  gst_pad_add_probe(pad, type, callback, new std::shared_ptr<Counts>(counts),
                    [](gpointer user) { delete static_cast<std::shared_ptr<Counts>*>(user); });
  gst_object_unref(pad);
}

}  // namespace

QueueCut::QueueCut(GstElement* queue, GstPad* output) : counts_(std::make_shared<Counts>(output)) {
  AddProbe(queue, "sink", kDataAndFlush, OnEnter<Counts>, counts_);
  AddProbe(queue, "src", kData, OnLeave<Counts>, counts_);
}

void QueueCut::Cut() { counts_->Cut(); }

void QueueCut::Reset() { counts_->Reset(); }

}  // namespace talkface
