#include "upsample.h"

#include <algorithm>
#include <array>

#include "kernels.h"

namespace ronasmis::cuda {

namespace {

// Values that a thread gathers alone, and the most threads that share a window: those of strides 8 and 16 are large, and few.
constexpr int64_t kThreadValues = 64;
constexpr int64_t kMostParts = 64;

UpsampledVolume volume_of(const at::Tensor& input, at::IntArrayRef stride, const at::Tensor& output) {
  const auto axis = [&](int64_t i) { return Axis{small(input.size(i + 2)), small(output.size(i + 2)), small(stride[i])}; };
  return {axis(0), axis(1), axis(2), small(input.size(1))};
}

}  // namespace

void upsample(const at::Tensor& input, at::IntArrayRef stride, at::TensorList addends, at::Tensor& result) {
  const size_t count = std::min<size_t>(addends.size(), kMostAddends);
  Addends first{};
  first.count = static_cast<int>(count);
  int width = width_of(input.size(1), {input, result});
  for (size_t i = 0; i < count; ++i) {
    first.volumes[i] = addends[i].const_data_ptr();
    width = std::min(width, width_of(input.size(1), {addends[i]}));
  }
  const UpsampledVolume volume = volume_of(input, stride, result);
  const int64_t in_row = small(result.size(4) * result.size(1)) / width;
  const auto threads = static_cast<unsigned>(std::min<int64_t>(kThreads, divide_up(in_row, 32) * 32));
  const Grid grid{static_cast<unsigned>(small(result.size(0) * result.size(2) * result.size(3))), static_cast<unsigned>(divide_up(in_row, threads)), 1,
                  threads};
  launch_kernel(input, variant_of("upsample.cu", input, width), "upsample_forward", grid, input.const_data_ptr(), first, volume,
                result.mutable_data_ptr());
  for (size_t i = count; i < addends.size(); ++i) result.add_(addends[i]);
}

void upsample_gradient(const at::Tensor& gradient, at::IntArrayRef stride, at::Tensor& result) {
  const int width = width_of(gradient.size(1), {gradient, result});
  const UpsampledVolume volume = volume_of(result, stride, gradient);
  const std::array<int64_t, 3> window{std::min(2 * stride[0], gradient.size(2)), std::min(2 * stride[1], gradient.size(3)),
                                      std::min(2 * stride[2], gradient.size(4))};
  int parts = 1;
  while (2 * parts <= kMostParts && 2 * parts <= window[0] * window[1] && 2 * parts * kThreadValues <= window[0] * window[1] * window[2]) parts *= 2;
  const int64_t values = result.size(1) * static_cast<int64_t>(voxels_of(result)) / width;
  const Grid grid{static_cast<unsigned>(small(divide_up(values, kThreads / parts))), batch_of(result), 1, kThreads};
  launch_kernel(gradient, variant_of("upsample.cu", gradient, width), "upsample_backward", grid, gradient.const_data_ptr(), volume, parts,
                result.mutable_data_ptr());
}

}  // namespace ronasmis::cuda
