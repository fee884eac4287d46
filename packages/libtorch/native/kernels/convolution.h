// The loops of the 3x3x3 convolution, compiled once for each kind of vector unit.
#pragma once

#include <cstdint>

#include "capability.h"

namespace ronasmis {

// A 3x3x3 convolution of stride 1 that keeps the volume's size. Volumes are float32 in channels_last_3d:
// [batch, depth, height, width, channels] in memory; kernels are [3, 3, 3, in, out] in memory.
struct Convolution {
  int64_t batch;
  int64_t in;
  int64_t out;
  int64_t depth;
  int64_t height;
  int64_t width;
  int64_t dilation;
};

struct ConvolutionLoops {
  void (*forward)(const Convolution& shape, const float* x, const float* kernel, float* y);
  // The gradient of the input: `gradient` has `out` channels and `result` has `in`.
  void (*input_gradient)(const Convolution& shape, const float* gradient, const float* kernel, float* result);
  void (*kernel_gradient)(const Convolution& shape, const float* x, const float* gradient, float* result);
};

RONASMIS_DECLARE_LOOPS(ConvolutionLoops, convolution_loops)

}  // namespace ronasmis
