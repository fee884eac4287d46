// A 3x3x3 or 1x3x3 convolution in float32 on a processor: ronasmis::convolution3d, forward and backward.
#include "convolution.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace ronasmis {

namespace {

const ConvolutionLoops& convolution_loops() {
  static const ConvolutionLoops& best = RONASMIS_BEST_LOOPS(convolution_loops);
  return best;
}

void check(const at::Tensor& input, const at::Tensor& kernel, int64_t dilation) {
  TORCH_CHECK(input.dim() == 5 && input.numel() > 0, "the input must be [batch, channel, depth, height, width] and not empty, not ", input.sizes());
  TORCH_CHECK(kernel.dim() == 5 && kernel.numel() > 0 && kernel.size(1) == input.size(1) && (kernel.size(2) == 3 || kernel.size(2) == 1) &&
                  kernel.size(3) == 3 && kernel.size(4) == 3,
              "the kernel must be [out, ", input.size(1), ", 3 or 1, 3, 3], not ", kernel.sizes());
  TORCH_CHECK(input.scalar_type() == at::kFloat && kernel.scalar_type() == at::kFloat, "input and kernel must be float32");
  TORCH_CHECK(input.device().is_cpu() && kernel.device().is_cpu(), "all tensors must be on the CPU");
  TORCH_CHECK(dilation >= 1 && dilation <= 1024, "the dilation must be from 1 to 1024, not ", dilation);
}

// A kernel of one plane takes each plane of a volume as a volume of its own, of which the loops use a kernel's middle plane alone.
bool is_flat(const at::Tensor& kernel) { return kernel.size(2) == 1; }

Convolution shape_of(const at::Tensor& x, const at::Tensor& kernel, int64_t dilation) {
  const int64_t volumes = is_flat(kernel) ? x.size(2) : 1;
  return {x.size(0) * volumes, x.size(1), kernel.size(0), x.size(2) / volumes, x.size(3), x.size(4), dilation};
}

// [out, in, 3, 3, 3] as the loops read it, [3, 3, 3, in, out]: no copy where it lies so in memory. Others get planes of 0 around theirs.
at::Tensor by_tap(const at::Tensor& kernel) {
  const at::Tensor taps = kernel.permute({2, 3, 4, 1, 0});
  return is_flat(kernel) ? at::constant_pad_nd(taps, {0, 0, 0, 0, 0, 0, 0, 0, 1, 1}) : taps.contiguous();
}

class Convolution3d : public torch::autograd::Function<Convolution3d> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, const at::Tensor& kernel, int64_t dilation) {
    check(input, kernel, dilation);
    const at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast3d);
    at::Tensor y = at::empty({x.size(0), kernel.size(0), x.size(2), x.size(3), x.size(4)}, x.options().memory_format(at::MemoryFormat::ChannelsLast3d));
    convolution_loops().forward(shape_of(x, kernel, dilation), x.const_data_ptr<float>(), by_tap(kernel).const_data_ptr<float>(), y.mutable_data_ptr<float>());
    context->save_for_backward({x, kernel});
    context->saved_data["dilation"] = dilation;
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &kernel = saved[1];
    const Convolution shape = shape_of(x, kernel, context->saved_data["dilation"].toInt());
    const at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast3d);
    at::Tensor of_input, of_kernel;
    if (context->needs_input_grad(0)) {
      of_input = at::empty_like(x);
      convolution_loops().input_gradient(shape, gradient.const_data_ptr<float>(), by_tap(kernel).const_data_ptr<float>(), of_input.mutable_data_ptr<float>());
    }
    if (context->needs_input_grad(1)) {
      const at::Tensor taps = at::empty({3, 3, 3, shape.in, shape.out}, x.options().memory_format(std::nullopt));
      convolution_loops().kernel_gradient(shape, x.const_data_ptr<float>(), gradient.const_data_ptr<float>(), taps.mutable_data_ptr<float>());
      of_kernel = (is_flat(kernel) ? taps.narrow(0, 1, 1) : taps).permute({4, 3, 0, 1, 2});
    }
    return {of_input, of_kernel, at::Tensor()};
  }
};

at::Tensor convolution3d(const at::Tensor& input, const at::Tensor& kernel, int64_t dilation) { return Convolution3d::apply(input, kernel, dilation); }

}  // namespace

TORCH_LIBRARY_FRAGMENT(ronasmis, library) {
  library.def("convolution3d(Tensor input, Tensor kernel, int dilation) -> Tensor", convolution3d);
}

}  // namespace ronasmis
