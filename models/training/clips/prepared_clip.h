// SPDX-License-Identifier: MIT
// A clip made ready for training: one safetensors file, written by `talkface prepare`, read by
// `talkface-train`. Tensors: audio [N] int16, times [F] float64, landmarks [F,468,3] float32, shape
// [F,4] float32, units [F,6] float32, mel [T,40] float32; metadata: speaker, clip, fps, offset_ms,
// source, tool.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/training/clips/mouth_targets.h"
#include "models/vision/mesh_points.h"

namespace talkface::auwarp {

constexpr uint32_t kClipPoints = vision::kMeshPoints;  // landmarks of a frame

struct PreparedClip {
  std::string speaker, clip;     // letters, digits and '-': they make the file name SPEAKER_CLIP
  std::string source, tool;      // file name of the video; name and version of what prepared it
  double fps = 0;                // of the video, frames a second
  double offset_ms = 0;          // MeasureOffset
  std::vector<int16_t> audio;    // 16 kHz mono; sample 0 sounds at video time 0
  std::vector<double> times;     // [F] seconds of each video frame
  std::vector<float> landmarks;  // [F x 468 x 3] pixels, NaN where no face was found
  std::vector<MouthMeasure> measures;  // [F]
  std::vector<float> mel;              // [T x 40] SpeechFrontEnd's bands, not normalised
};

// Fills measures, mel and offset_ms from audio, times and landmarks. Throws Error{kInvalid} when
// the sizes do not belong together.
void CompletePreparedClip(PreparedClip* clip);

// Writes and reads FOLDER/SPEAKER_CLIP.safetensors. Errors name file, tensor, wanted and got.
std::string PreparedClipPath(const std::string& folder, const PreparedClip& clip);
void WritePreparedClip(const std::string& path, const PreparedClip& clip);
PreparedClip ReadPreparedClip(const std::string& path);

// How late the picture is against its sound, in ms (negative: early): the shift of the loudness
// envelope that correlates best with the opening over +-400 ms, less the 20 ms by which a mouth
// opens ahead of the sound. Large shifts must win clearly: 0.1 for every 100 ms. 0 where nothing
// correlates above 0.2. Good to about 40 ms on 3 s.
double MeasureOffset(const std::vector<int16_t>& audio, const std::vector<double>& times,
                     const std::vector<MouthMeasure>& measures);

}  // namespace talkface::auwarp
