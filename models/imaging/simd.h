// SPDX-License-Identifier: MIT
// Run-time choice between a plain loop and one for AVX2. Both compute the same integers, so a frame
// is the same on every processor.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define TALKFACE_HAVE_AVX2 1
#define TALKFACE_AVX2 __attribute__((target("avx2")))
#include <immintrin.h>
#endif

#ifdef __GNUC__
#define TALKFACE_INLINE inline __attribute__((always_inline))
#else
#define TALKFACE_INLINE inline
#endif

namespace talkface {

inline bool HasAvx2() {
#ifdef TALKFACE_HAVE_AVX2
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
#else
  return false;
#endif
}

}  // namespace talkface
