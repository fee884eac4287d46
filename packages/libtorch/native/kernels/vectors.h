// What all *_loops.cc share: vectors of float32, read from and written to float32 or bfloat16 in memory.
// Such a file is compiled several times, with the flags of one kind of vector unit each. Everything here is in an anonymous
// namespace, so that no two of them share a function. No constant at namespace scope is a Vector: its constructor would run on
// every machine when the addon is loaded, with instructions that not every machine has.
#pragma once

#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>

#include <cstdint>

// RONASMIS_LOOPS(instance_norm_loops) is instance_norm_loops_avx2 in a file that is compiled for that.
#define RONASMIS_JOIN_(name, capability) name##_##capability
#define RONASMIS_JOIN(name, capability) RONASMIS_JOIN_(name, capability)
#define RONASMIS_LOOPS(name) RONASMIS_JOIN(name, RONASMIS_CAPABILITY)

namespace ronasmis {

namespace {

using Vector = at::vec::Vectorized<float>;
constexpr int64_t kLanes = Vector::size();

[[maybe_unused]] inline Vector load(const float* values, int64_t count) {
  return count == kLanes ? Vector::loadu(values) : Vector::loadu(values, count);
}

[[maybe_unused]] inline Vector load(const c10::BFloat16* values, int64_t count) {
  Vector result;
  if (count == kLanes) {
    at::vec::load_fp32_from_bf16(values, result);
    return result;
  }
  float widened[kLanes] = {};
  for (int64_t i = 0; i < count; ++i) widened[i] = static_cast<float>(values[i]);
  return Vector::loadu(widened);
}

[[maybe_unused]] inline void store(const Vector& vector, float* values, int64_t count) {
  count == kLanes ? vector.store(values) : vector.store(values, count);
}

[[maybe_unused]] inline void store(const Vector& vector, c10::BFloat16* values, int64_t count) {
  at::vec::convert_from_float<c10::BFloat16>(vector, vector).store(values, static_cast<int>(count));
}

// Calls `body` with a null pointer of the type of value in memory.
template <typename Body>
void with_type(bool bfloat16, Body&& body) {
  if (bfloat16) body(static_cast<c10::BFloat16*>(nullptr));
  else body(static_cast<float*>(nullptr));
}

}  // namespace

}  // namespace ronasmis
