// The loops of the kernels are compiled once for each kind of vector unit; here the one that libtorch itself uses is chosen, so
// that its environment variable ATEN_CPU_CAPABILITY holds for these too.
#pragma once

#include <ATen/Version.h>

#include <string>

// Declares the functions that return a kernel's loops, one for each kind of vector unit.
#define RONASMIS_DECLARE_LOOPS(Loops, name) \
  const Loops& name##_default();            \
  const Loops& name##_avx2();               \
  const Loops& name##_avx512();

// The best of those that were compiled and that the processor has.
#if defined(RONASMIS_AVX512)
#define RONASMIS_AVX512_LOOPS(name) at::get_cpu_capability() == "AVX512" ? name##_avx512():
#else
#define RONASMIS_AVX512_LOOPS(name)
#endif
#if defined(RONASMIS_AVX2)
#define RONASMIS_AVX2_LOOPS(name) at::get_cpu_capability() == "AVX2" || at::get_cpu_capability() == "AVX512" ? name##_avx2():
#else
#define RONASMIS_AVX2_LOOPS(name)
#endif
#define RONASMIS_BEST_LOOPS(name) (RONASMIS_AVX512_LOOPS(name) RONASMIS_AVX2_LOOPS(name) name##_default())
