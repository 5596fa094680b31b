// SPDX-License-Identifier: MIT
#include "models/vision/simd_target.h"

namespace talkface::vision {

#if defined(__x86_64__) || defined(__i386__)
// The compiler may use any instruction of a target's set, so each of them is asked for. The
// builtins know what the operating system saves of the registers.
bool RunsTarget(int64_t target) {
  const bool sse4 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul") &&
                    __builtin_cpu_supports("aes");
  const bool avx2 = sse4 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                    __builtin_cpu_supports("f16c");
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
// NEON is part of every 64-bit Arm. Highway's set names AES too, which no kernel here uses.
bool RunsTarget(int64_t) { return true; }
#endif

}  // namespace talkface::vision
