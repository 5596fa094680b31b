// SPDX-License-Identifier: MIT
#include "models/vision/simd_target.h"

namespace talkface::vision {

#if defined(__x86_64__) || defined(__i386__)
// The compiler may use what a target's set holds, so all that it uses without being told to is
// asked for: not AES, CLMUL and F16C, for which there is nothing to do here. The builtins know what
// the operating system saves of the registers.
bool RunsTarget(int64_t target) {
  const bool sse4 = __builtin_cpu_supports("sse4.2");
  const bool avx2 = sse4 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  switch (target & ~HWY_STATIC_TARGET) {
    case HWY_AVX3:
      return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512cd");
    case HWY_AVX2:
      return avx2;
    case HWY_SSE4:
      return sse4;
    default:
      return true;  // the baseline
  }
}
#else
// NEON is part of every 64-bit Arm. Highway's set holds AES too, for which there is nothing to do.
bool RunsTarget(int64_t) { return true; }
#endif

}  // namespace talkface::vision
