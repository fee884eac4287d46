// A 3x3x3 convolution in bfloat16 on a processor, by oneDNN: ronasmis::bfloat16_convolution3d, forward and backward.
//
// oneDNN's own gradient of the kernel (3.7 in PyTorch 2.15.0) is not always right: of one or two planes it is made of memory that was never written; with
// AMX it is wrong by a tenth, infinite or NaN where a plane is large and they are few. Of some 1,500 shapes it was right where a plane of input and result together
// took less than 512 KiB, a quarter of the processor's second cache, and wherever there were more than 16. Elsewhere it is made here, of gradients of kernels of
// one plane, which are right: each plane of a kernel is one, between planes of the volume and those of the result that it brings them to. That takes longer.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <vector>

namespace ronasmis {

namespace {

constexpr std::array<int64_t, 3> kOnes = {1, 1, 1};
constexpr std::array<int64_t, 2> kOnesInPlane = {1, 1};
constexpr int64_t kPlanes = 3;
// With some room to what was seen wrong.
constexpr int64_t kManyPlanes = 32;
constexpr int64_t kSmallPlaneBytes = 256 << 10;

void check(const at::Tensor& input, const at::Tensor& kernel, at::IntArrayRef stride) {
  TORCH_CHECK(input.dim() == 5 && input.numel() > 0, "the input must be [batch, channel, depth, height, width] and not empty, not ", input.sizes());
  TORCH_CHECK(kernel.dim() == 5 && kernel.size(1) == input.size(1) && kernel.sizes().slice(2) == at::IntArrayRef({3, 3, 3}),
              "the kernel must be [out, ", input.size(1), ", 3, 3, 3], not ", kernel.sizes());
  TORCH_CHECK(input.scalar_type() == at::kBFloat16 && kernel.scalar_type() == at::kBFloat16, "input and kernel must be bfloat16");
  TORCH_CHECK(input.device().is_cpu() && kernel.device().is_cpu(), "all tensors must be on the CPU");
  TORCH_CHECK(stride.size() == 3 && *std::min_element(stride.begin(), stride.end()) >= 1, "the stride must be three numbers from 1, not ", stride);
}

// [batch, channel, depth, height, width] as [batch * depth, channel, height, width].
at::Tensor slices(const at::Tensor& volumes) {
  return volumes.permute({0, 2, 1, 3, 4}).reshape({-1, volumes.size(1), volumes.size(3), volumes.size(4)});
}

// Whether oneDNN's own gradient of the kernel is right.
bool is_trusted(const at::Tensor& x, const at::Tensor& kernel, at::IntArrayRef stride) {
  const auto padded = [](int64_t channels) { return (channels + 15) / 16 * 16; };
  const int64_t plane_bytes = 2 * x.size(3) * x.size(4) * (padded(kernel.size(0)) + padded(kernel.size(1)));
  const bool is_whole = std::all_of(stride.begin(), stride.end(), [](int64_t step) { return step == 1; });
  return is_whole && x.size(2) > 2 && (x.size(2) >= kManyPlanes || plane_bytes < kSmallPlaneBytes);
}

// The gradient of one plane of a kernel, [out, in, 3, 3], of slices and the gradient of what it makes of them.
at::Tensor plane_gradient(const at::Tensor& x, const at::Tensor& gradient, const at::Tensor& plane, at::IntArrayRef stride) {
  return std::get<1>(at::convolution_backward(gradient, x, plane, c10::nullopt, stride.slice(1), kOnesInPlane, kOnesInPlane, false, {0, 0}, 1, {false, true, false}));
}

// The gradient of the kernel's plane `tap`: what it brings from plane `z * stride + tap - 1` of a volume to plane `z` of the result.
at::Tensor tap_gradient(const at::Tensor& x, const at::Tensor& gradient, const at::Tensor& plane, at::IntArrayRef stride, int64_t tap) {
  const int64_t step = stride[0];
  const int64_t first = tap == 0 ? 1 : 0;
  const int64_t count = std::min(gradient.size(2), (x.size(2) - tap + step) / step) - first;
  at::Tensor sum = at::zeros_like(plane, at::kFloat);
  const int64_t begin = first * step + tap - 1;
  // Volume by volume: these planes of a whole batch are not one block of memory.
  for (int64_t volume = 0; count > 0 && volume < x.size(0); volume += 1) {
    const at::Tensor from = x.narrow(0, volume, 1).slice(2, begin, begin + (count - 1) * step + 1, step);
    const at::Tensor to = gradient.narrow(0, volume, 1).narrow(2, first, count);
    sum.add_(plane_gradient(slices(from), slices(to), plane, stride));
  }
  return sum;
}

at::Tensor kernel_gradient(const at::Tensor& x, const at::Tensor& gradient, const at::Tensor& kernel, at::IntArrayRef stride) {
  std::vector<at::Tensor> taps;
  for (int64_t tap = 0; tap < kPlanes; tap += 1) taps.push_back(tap_gradient(x, gradient, kernel.select(2, tap), stride, tap));
  return at::stack(taps, 2).to(at::kBFloat16);
}

class BFloat16Convolution3d : public torch::autograd::Function<BFloat16Convolution3d> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, const at::Tensor& kernel, const std::vector<int64_t>& stride) {
    check(input, kernel, stride);
    const at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast3d);
    context->save_for_backward({x, kernel});
    context->saved_data["stride"] = stride;
    return at::mkldnn_convolution(x, kernel, c10::nullopt, kOnes, stride, kOnes, 1);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &kernel = saved[1];
    const std::vector<int64_t> stride = context->saved_data["stride"].toIntVector();
    const at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast3d);
    const bool is_own = context->needs_input_grad(1) && !is_trusted(x, kernel, stride);
    const std::array<bool, 3> wanted = {context->needs_input_grad(0), context->needs_input_grad(1) && !is_own, false};
    auto [of_input, of_kernel, of_bias] = at::convolution_backward(gradient, x, kernel, c10::nullopt, stride, kOnes, kOnes, false, {0, 0, 0}, 1, wanted);
    if (is_own) of_kernel = kernel_gradient(x, gradient, kernel, stride);
    return {of_input, of_kernel, at::Tensor()};
  }
};

at::Tensor bfloat16_convolution3d(const at::Tensor& input, const at::Tensor& kernel, at::IntArrayRef stride) {
  return BFloat16Convolution3d::apply(input, kernel, stride.vec());
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ronasmis, library) {
  library.def("bfloat16_convolution3d(Tensor input, Tensor kernel, int[3] stride) -> Tensor", bfloat16_convolution3d);
}

}  // namespace ronasmis
