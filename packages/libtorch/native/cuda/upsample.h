// Trilinear upsampling with addition on a GPU. All volumes are in channels_last_3d.
#pragma once

#include <ATen/ATen.h>

namespace ronasmis::cuda {

// Writes the upsampled input plus the sum of the addends to `result`.
void upsample(const at::Tensor& input, at::IntArrayRef stride, at::TensorList addends, at::Tensor& result);
// Writes the gradient of the input to `result`.
void upsample_gradient(const at::Tensor& gradient, at::IntArrayRef stride, at::Tensor& result);

}  // namespace ronasmis::cuda
