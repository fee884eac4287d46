#include "instance_norm.h"

#include <algorithm>

#include "kernels.h"

namespace ronasmis::cuda {

namespace {

// Voxels that a thread takes, but of large volumes, whose blocks would leave too many partial sums.
constexpr int64_t kThreadVoxels = 8;
constexpr int64_t kMostPieces = 1024;

// How the kernels share a volume out among their blocks.
struct Shares {
  Variant variant;
  int batch, voxels, channels, pieces;
  Grid volume;    // of the kernels that pass over it
  Grid channelwise;  // of those that add up what is left of it
  at::TensorOptions options;

  Shares(const at::Tensor& x, int width)
      : variant(variant_of("instance_norm.cu", x, width)),
        batch(static_cast<int>(batch_of(x))),
        voxels(voxels_of(x)),
        channels(small(x.size(1))),
        options(x.options()) {
    const int64_t groups = channels / width;
    const int64_t rows = kThreads / std::min<int64_t>(groups, kThreads);
    pieces = static_cast<int>(std::min(divide_up(voxels, rows * kThreadVoxels), kMostPieces));
    const auto images = static_cast<unsigned>(batch);
    volume = {static_cast<unsigned>(pieces), static_cast<unsigned>(divide_up(groups, kThreads)), images, kThreads};
    channelwise = {static_cast<unsigned>(divide_up(channels, kTile)), images, 1, kThreads};
  }

  at::Tensor per_channel(at::ScalarType type) const { return at::empty({batch, channels}, options.dtype(type)); }
  at::Tensor partial() const { return at::empty({batch, pieces, 2, channels}, options.dtype(at::kDouble)); }
};

at::Tensor floats(const at::Tensor& tensor) { return tensor.to(at::kFloat).contiguous(); }

}  // namespace

Normalised normalise(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& shift, Activation activation, double epsilon) {
  const Shares shares(x, width_of(x.size(1), {x}));
  const NormStatistics found{shares.per_channel(at::kDouble), shares.per_channel(at::kDouble), shares.per_channel(at::kFloat),
                             shares.per_channel(at::kFloat)};
  const at::Tensor partial = shares.partial();
  const at::Tensor scales = floats(scale);
  const at::Tensor shifts = floats(shift);
  at::Tensor y = at::empty_like(x);
  launch_kernel(x, shares.variant, "norm_sums", shares.volume, x.const_data_ptr(), shares.voxels, shares.channels, partial.mutable_data_ptr());
  launch_kernel(x, shares.variant, "norm_statistics", shares.channelwise, partial.const_data_ptr(), shares.pieces, shares.voxels, shares.channels, epsilon,
                scales.const_data_ptr(), shifts.const_data_ptr(), found.mean.mutable_data_ptr(), found.inverse_deviation.mutable_data_ptr(),
                found.factor.mutable_data_ptr(), found.offset.mutable_data_ptr());
  launch_kernel(x, shares.variant, "norm_apply", shares.volume, x.const_data_ptr(), shares.voxels, shares.channels, static_cast<int>(activation),
                found.factor.const_data_ptr(), found.offset.const_data_ptr(), y.mutable_data_ptr());
  return {y, found};
}

NormGradients norm_gradients(const at::Tensor& x, const at::Tensor& gradient, const at::Tensor& scale, const NormStatistics& statistics,
                             Activation activation) {
  const Shares shares(x, width_of(x.size(1), {x, gradient}));
  const at::Tensor partial = shares.partial();
  const at::Tensor scales = floats(scale);
  const at::Tensor sum = shares.per_channel(at::kDouble);
  const at::Tensor normalised = shares.per_channel(at::kDouble);
  const at::Tensor slope = shares.per_channel(at::kFloat);
  const at::Tensor constant = shares.per_channel(at::kFloat);
  NormGradients result{at::empty_like(x), at::empty_like(scales), at::empty_like(scales)};
  const int kind = static_cast<int>(activation);
  launch_kernel(x, shares.variant, "norm_gradient_sums", shares.volume, x.const_data_ptr(), gradient.const_data_ptr(), shares.voxels, shares.channels, kind,
                statistics.factor.const_data_ptr(), statistics.offset.const_data_ptr(), partial.mutable_data_ptr());
  launch_kernel(x, shares.variant, "norm_coefficients", shares.channelwise, partial.const_data_ptr(), shares.pieces, shares.voxels, shares.channels,
                scales.const_data_ptr(), statistics.mean.const_data_ptr(), statistics.inverse_deviation.const_data_ptr(), sum.mutable_data_ptr(),
                normalised.mutable_data_ptr(), slope.mutable_data_ptr(), constant.mutable_data_ptr());
  const Grid by_channel{static_cast<unsigned>(divide_up(shares.channels, kThreads)), 1, 1, kThreads};
  launch_kernel(x, shares.variant, "norm_parameter_gradients", by_channel, sum.const_data_ptr(), normalised.const_data_ptr(), shares.batch, shares.channels,
                result.scale.mutable_data_ptr(), result.shift.mutable_data_ptr());
  launch_kernel(x, shares.variant, "norm_gradient", shares.volume, x.const_data_ptr(), gradient.const_data_ptr(), shares.voxels, shares.channels, kind,
                statistics.factor.const_data_ptr(), statistics.offset.const_data_ptr(), slope.const_data_ptr(), constant.const_data_ptr(),
                result.input.mutable_data_ptr());
  return {result.input, result.scale.to(scale.scalar_type()), result.shift.to(scale.scalar_type())};
}

}  // namespace ronasmis::cuda
