// The fused instance normalisation on a GPU, with the results that a processor's has too.
#pragma once

#include <ATen/ATen.h>

#include "kernels/instance_norm.h"

namespace ronasmis {

// Per batch and channel: mean, and 1 / sqrt(variance + epsilon), in float64; and z = x * factor + offset, in float32.
struct NormStatistics {
  at::Tensor mean, inverse_deviation, factor, offset;
};

struct Normalised {
  at::Tensor result;
  NormStatistics statistics;
};

struct NormGradients {
  at::Tensor input, scale, shift;
};

namespace cuda {

// All volumes are in channels_last_3d.
Normalised normalise(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& shift, Activation activation, double epsilon);
NormGradients norm_gradients(const at::Tensor& x, const at::Tensor& gradient, const at::Tensor& scale, const NormStatistics& statistics,
                             Activation activation);

}  // namespace cuda

}  // namespace ronasmis
