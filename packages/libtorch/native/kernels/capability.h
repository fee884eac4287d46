// The loops of the fused kernels are compiled once for each kind of vector unit; here the processor's own is chosen.
#pragma once

// Declares the functions that return a kernel's loops, one for each kind of vector unit.
#define RONASMIS_DECLARE_LOOPS(Loops, name) \
  const Loops& name##_default();            \
  const Loops& name##_avx2();               \
  const Loops& name##_avx512();

#if defined(__x86_64__)
#define RONASMIS_BEST_LOOPS(name)                                                        \
  (::ronasmis::has_avx512() ? name##_avx512() : ::ronasmis::has_avx2() ? name##_avx2() : name##_default())
#else
#define RONASMIS_BEST_LOOPS(name) name##_default()
#endif

#if defined(__x86_64__)
namespace ronasmis {

inline bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq");
}

inline bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

}  // namespace ronasmis
#endif
