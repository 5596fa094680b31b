// SPDX-License-Identifier: MIT
// The sets of vector instructions that vision's kernels are compiled for, from one text, by
// Highway: AVX-512, AVX2 with FMA, SSE4 and NEON, and plain C++ for older CPUs. Only Highway's
// headers are used, so that nothing has to be installed beside the engine. To be included before
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// Highway's other x86 sets add nothing for float32; vectors of SVE have no size when compiled.
#define HWY_DISABLED_TARGETS                                                                     \
  (~(HWY_AVX3 | HWY_AVX2 | HWY_SSE4 | HWY_NEON | (1LL << 29) /* NEON without AES, Highway 1.1 */ \
     | (1LL << 14) /* SSE2, Highway 1.1 */ | HWY_EMU128 | HWY_SCALAR))

#include <hwy/detect_targets.h>

namespace talkface::vision {

// Whether this CPU and its operating system run code for one of Highway's targets (HWY_AVX2 and
// so on).
bool RunsTarget(int64_t target);

template <typename Kernels>
struct TargetKernels {
  int64_t target;
  const Kernels* kernels;
};

// The kernels that this CPU runs, the best first; at least those of the baseline.
template <typename Kernels, size_t kCount>
std::vector<const Kernels*> RunnableKernels(const TargetKernels<Kernels> (&compiled)[kCount]) {
  std::vector<const Kernels*> runnable;
  for (const TargetKernels<Kernels>& entry : compiled) {
    if (RunsTarget(entry.target)) runnable.push_back(entry.kernels);
  }
  return runnable;
}

}  // namespace talkface::vision

// The entries of a table of TargetKernels, the best first: of every compiled target the object
// `kernels` in its namespace. To be used where HWY_ONCE holds.
#if HWY_TARGETS & HWY_AVX3 & ~HWY_STATIC_TARGET
#define TALKFACE_AVX3_ENTRY(kernels) {HWY_AVX3, &N_AVX3::kernels},
#else
#define TALKFACE_AVX3_ENTRY(kernels)
#endif
#if HWY_TARGETS & HWY_AVX2 & ~HWY_STATIC_TARGET
#define TALKFACE_AVX2_ENTRY(kernels) {HWY_AVX2, &N_AVX2::kernels},
#else
#define TALKFACE_AVX2_ENTRY(kernels)
#endif
#if HWY_TARGETS & HWY_SSE4 & ~HWY_STATIC_TARGET
#define TALKFACE_SSE4_ENTRY(kernels) {HWY_SSE4, &N_SSE4::kernels},
#else
#define TALKFACE_SSE4_ENTRY(kernels)
#endif
#if HWY_TARGETS & HWY_NEON & ~HWY_STATIC_TARGET
#define TALKFACE_NEON_ENTRY(kernels) {HWY_NEON, &N_NEON::kernels},
#else
#define TALKFACE_NEON_ENTRY(kernels)
#endif
#define TALKFACE_KERNEL_TABLE(kernels)                                                       \
  {                                                                                          \
    TALKFACE_AVX3_ENTRY(kernels)                                                             \
    TALKFACE_AVX2_ENTRY(kernels) TALKFACE_SSE4_ENTRY(kernels) TALKFACE_NEON_ENTRY(kernels) { \
      HWY_STATIC_TARGET, &HWY_STATIC_DISPATCH(kernels)                                       \
    }                                                                                        \
  }
