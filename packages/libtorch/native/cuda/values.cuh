// Stands before every kernel family. VALUE says what a volume's values are in memory (0 float32, 1 bfloat16, 2 float16), and WIDTH
// how many neighbours a thread reads and writes at once. All arithmetic is in float32.
using namespace ronasmis::cuda;

#ifndef KERNEL
#define KERNEL extern "C" __global__
#endif

#ifdef __CUDACC_RTC__
__device__ inline float float_of_half(unsigned short bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
}

__device__ inline unsigned short half_of_float(float value) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}
#endif

#if VALUE == 0
using Value = float;
__device__ inline float widen(Value value) { return value; }
__device__ inline Value narrow(float value) { return value; }
#else
struct Value {
  unsigned short bits;
};
#if VALUE == 1
__device__ inline float widen(Value value) { return __uint_as_float(static_cast<unsigned>(value.bits) << 16); }

// Rounds to the nearest, of two equally near to the even one; NaN stays one.
__device__ inline Value narrow(float value) {
  const unsigned bits = __float_as_uint(value);
  if (value != value) return {0x7fc0};
  return {static_cast<unsigned short>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}
#else
__device__ inline float widen(Value value) { return float_of_half(value.bits); }
__device__ inline Value narrow(float value) { return {half_of_float(value)}; }
#endif
#endif

// WIDTH neighbouring values in float32.
struct Lanes {
  float of[WIDTH];
};

// The same in memory: read and written by one instruction.
struct alignas(WIDTH * sizeof(Value)) Packed {
  Value of[WIDTH];
};

__device__ inline Lanes load(const Value* values) {
  const Packed packed = *reinterpret_cast<const Packed*>(values);
  Lanes result;
  for (int lane = 0; lane < WIDTH; ++lane) result.of[lane] = widen(packed.of[lane]);
  return result;
}

__device__ inline void store(const Lanes& lanes, Value* values) {
  Packed packed;
  for (int lane = 0; lane < WIDTH; ++lane) packed.of[lane] = narrow(lanes.of[lane]);
  *reinterpret_cast<Packed*>(values) = packed;
}
