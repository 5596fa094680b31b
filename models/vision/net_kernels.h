// SPDX-License-Identifier: MIT
// The arithmetic of the face nets in float32, channels last (height x width x channels), for one
// core. Each kernel is compiled for every set of vector instructions that simd_target.h names. A
// convolution adds its products in one order everywhere, so sets that have a fused multiply-add
// give the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace talkface::vision {

// Floats that begin on a cache line; not set.
class FloatBuffer {
 public:
  explicit FloatBuffer(size_t count = 0);
  float* data() const { return floats_.get(); }
  float& operator[](int64_t i) const { return floats_.get()[i]; }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(float* floats) const;
  };
  std::unique_ptr<float, Free> floats_;
  size_t size_ = 0;
};

// A window that slides over an image: sizes in pixels. Its first place is `top` rows above and
// `left` columns left of the image.
struct Sliding {
  int64_t in_height, in_width, in_channels;
  int64_t out_height, out_width, out_channels;
  int64_t kernel_height, kernel_width;
  int64_t stride_y, stride_x;
  int64_t top, left;
};

// Output channels that lie side by side in the weights of a convolution.
constexpr int64_t kChannelBlock = 16;

struct Filter {
  const float* weights = nullptr;
  const float* bias = nullptr;      // per output channel
  const float* residual = nullptr;  // added to the result, or null: out_height x out_width x
  int64_t residual_channels = 0;    // so many, further ones being 0
  const float* slopes = nullptr;    // per output channel, of negative results; or null
  bool relu = false;                // without slopes: negative results become 0
};

struct NetKernels {
  // A convolution whose window stays inside the image (top and left are 0). `weights` is
  // [blocks of output channels][kernel_height][kernel_width][in_channels][kChannelBlock], padded
  // with zeros, as are bias and slopes to whole blocks.
  void (*convolve)(const Sliding& sliding, const float* in, const Filter& filter, float* out);
  // A filter a channel; pixels beyond the image are 0. `weights` is
  // [kernel_height][kernel_width][channels]; residual, slopes and relu are not looked at.
  void (*depthwise)(const Sliding& sliding, const float* in, const Filter& filter, float* out);
  // The largest of the pixels that the window and the image have in common, at least one.
  void (*max_pool)(const Sliding& sliding, const float* in, float* out);
  // Negative values times their channel's slope; out is not in.
  void (*prelu)(int64_t pixels, int64_t channels, const float* in, const float* slopes, float* out);
  void (*relu)(int64_t count, const float* in, float* out);  // out may be in
  void (*add)(int64_t count, const float* a, const float* b, float* out);
  const char* target;  // Highway's name of the instructions
};

// Those that this CPU runs, the best first.
const std::vector<const NetKernels*>& RunnableNetKernels();

}  // namespace talkface::vision
