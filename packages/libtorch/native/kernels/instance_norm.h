// The loops of the fused instance normalisation, compiled once for each kind of vector unit.
#pragma once

#include <cstdint>
#include <vector>

#include "capability.h"

namespace ronasmis {

// The numbers that stand in src/activations.ts, and that of none at all in src/normalisation.ts.
enum class Activation : int64_t { kRelu = 0, kLeakyRelu = 1, kElu = 2, kNone = 3 };

// A volume in channels_last_3d: [batch, voxels, channels] in memory. Some voxels may be padding, which no sum takes in and which
// becomes 0: in rows of `row` voxels, those behind the first `valid[index of the row]`. Without padding it is all one row.
struct Volume {
  int64_t batch;
  int64_t voxels;
  int64_t channels;
  bool bfloat16;  // else float32
  int64_t row;
  std::vector<int64_t> valid;
  int64_t count;  // voxels that are no padding
};

// All per-channel arrays are [batch, channels], float32.
struct InstanceNormLoops {
  // Sums of x and of x * x of each channel, in float64.
  void (*sums)(const Volume& volume, const void* x, double* sum, double* square);
  // y = activation(x * factor + offset)
  void (*apply)(const Volume& volume, Activation activation, const void* x, const float* factor, const float* offset, void* y);
  // With g = gradient * activation'(x * factor + offset): sums of g and of g * x of each channel.
  void (*gradient_sums)(const Volume& volume, Activation activation, const void* x, const void* gradient, const float* factor,
                        const float* offset, double* sum, double* product);
  // result = factor * g + slope * x + constant
  void (*gradient)(const Volume& volume, Activation activation, const void* x, const void* gradient, const float* factor,
                   const float* offset, const float* slope, const float* constant, void* result);
};

RONASMIS_DECLARE_LOOPS(InstanceNormLoops, instance_norm_loops)

}  // namespace ronasmis
