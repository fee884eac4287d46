// The loops of trilinear upsampling with addition, compiled once for each kind of vector unit.
#pragma once

#include <cstdint>

#include "capability.h"

namespace ronasmis {

// `from` samples become `stride` times as many, of which the first `to` are kept.
struct UpsampledAxis {
  int64_t from;
  int64_t to;
  int64_t stride;
};

// Of volumes in channels_last_3d: [batch, depth, height, width, channels] in memory.
struct Upsampling {
  int64_t batch;
  int64_t channels;
  UpsampledAxis depth;
  UpsampledAxis height;
  UpsampledAxis width;
  bool bfloat16;  // else float32
};

struct UpsampleLoops {
  // output = upsampled input + sum of the addends, which have the output's size.
  void (*forward)(const Upsampling& upsampling, const void* input, const void* const* addends, int64_t count, void* output);
  // The gradient of the input. `planes` is room for [depth.to, height.from, width.from, channels].
  void (*backward)(const Upsampling& upsampling, const void* gradient, float* planes, void* result);
};

RONASMIS_DECLARE_LOOPS(UpsampleLoops, upsample_loops)

}  // namespace ronasmis
