// SPDX-License-Identifier: MIT
// The pipeline of talkface render: decoded speech goes to talkfacegen and, as it is, to the file.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/cli/output_file.h"

namespace talkface::cli {

struct RenderOptions {
  std::string image, audio, output;
  std::string model, device;                                    // "": the element's default
  int width = 0, height = 0;                                    // 0: the portrait's
  int fps_num = 0, fps_den = 1;                                 // 0: the element's default
  std::vector<std::pair<std::string, std::string>> properties;  // of talkfacegen
};

class RenderPipeline {
 public:
  // Builds it; throws Error for a missing element or a bad property. Writes to `part`.
  RenderPipeline(const RenderOptions& options, const FileType& type, const std::string& part);
  ~RenderPipeline();
  RenderPipeline(const RenderPipeline&) = delete;
  RenderPipeline& operator=(const RenderPipeline&) = delete;

  GstElement* pipeline() const { return pipeline_; }
  uint64_t frames() const { return frames_; }
  double Position() const {
    return static_cast<double>(position_ns_) / GST_SECOND;
  }                         // of the last frame
  double Duration() const;  // of the speech in seconds, 0 while not known
  bool HasSound() const { return linked_; }
  // Ends the speech here: what is in the pipeline is still rendered, and the file completed.
  void EndSpeech() { ending_ = true; }

 private:
  void SetProperties(const RenderOptions& options);
  static void OnPadAdded(GstElement* source, GstPad* pad, gpointer user);
  static GstPadProbeReturn OnSpeech(GstPad* pad, GstPadProbeInfo* info, gpointer user);
  static GstPadProbeReturn OnFrame(GstPad* pad, GstPadProbeInfo* info, gpointer user);

  GstElement* pipeline_ = nullptr;
  GstElement* face_ = nullptr;    // talkfacegen; owned by the pipeline
  GstPad* speech_pad_ = nullptr;  // where decoded speech enters; holds a reference
  // Written by the streaming threads.
  std::atomic<uint64_t> frames_{0}, position_ns_{0};
  std::atomic<bool> linked_{false}, ending_{false};
};

}  // namespace talkface::cli
