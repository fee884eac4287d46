// Trilinear upsampling by whole strides, cut to a size, and a sum in one: ronasmis::upsample_trilinear, forward and
// backward. The result is written once, where libtorch's own operations write it once for each addend and once more for
// the cut.
#include "upsample.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <vector>

#include "cuda/kernels.h"
#include "cuda/upsample.h"

namespace ronasmis {

namespace {

const UpsampleLoops& upsample_loops() {
  static const UpsampleLoops& best = RONASMIS_BEST_LOOPS(upsample_loops);
  return best;
}

void check(const at::Tensor& input, at::IntArrayRef stride, at::IntArrayRef size, at::TensorList addends) {
  TORCH_CHECK(input.dim() == 5 && input.numel() > 0, "the input must be [batch, channel, depth, height, width] and not empty, not ", input.sizes());
  cuda::check_readable(input, "the input");
  TORCH_CHECK(stride.size() == 3 && size.size() == 3, "stride and size must have a number for depth, height and width each");
  for (int64_t axis = 0; axis < 3; ++axis) {
    const int64_t from = input.size(axis + 2);
    TORCH_CHECK(stride[axis] >= 1 && size[axis] >= 1 && (size[axis] - 1) / stride[axis] == from - 1, "a stride of ", stride[axis],
                " makes no size of ", size[axis], " from ", from, ": at most the product, and more than that of one less");
  }
  const std::vector<int64_t> shape{input.size(0), input.size(1), size[0], size[1], size[2]};
  for (const at::Tensor& addend : addends) {
    TORCH_CHECK(addend.sizes() == shape, "an addend must have the result's shape ", at::IntArrayRef(shape), ", not ", addend.sizes());
    TORCH_CHECK(addend.scalar_type() == input.scalar_type(), "an addend must have the input's data type");
    TORCH_CHECK(addend.device() == input.device(), "all tensors must be on one device");
  }
}

Upsampling upsampling_of(const at::Tensor& input_or_gradient, at::IntArrayRef from, at::IntArrayRef stride, at::IntArrayRef size) {
  return {input_or_gradient.size(0),
          input_or_gradient.size(1),
          {from[0], size[0], stride[0]},
          {from[1], size[1], stride[1]},
          {from[2], size[2], stride[2]},
          input_or_gradient.scalar_type() == at::kBFloat16};
}

at::Tensor empty_volume(const at::Tensor& like, at::IntArrayRef size) {
  return at::empty({like.size(0), like.size(1), size[0], size[1], size[2]}, like.options().memory_format(at::MemoryFormat::ChannelsLast3d));
}

std::vector<int64_t> spatial(const at::Tensor& volume) { return volume.sizes().slice(2).vec(); }

void upsample(const at::Tensor& x, at::IntArrayRef stride, at::TensorList addends, at::Tensor& result) {
  if (cuda::takes(x)) return cuda::upsample(x, stride, addends, result);
  std::vector<const void*> pointers;
  for (const at::Tensor& addend : addends) pointers.push_back(addend.const_data_ptr());
  upsample_loops().forward(upsampling_of(x, spatial(x), stride, spatial(result)), x.const_data_ptr(), pointers.data(), static_cast<int64_t>(pointers.size()),
                  result.mutable_data_ptr());
}

void upsample_gradient(const at::Tensor& gradient, at::IntArrayRef stride, at::Tensor& result) {
  if (cuda::takes(gradient)) return cuda::upsample_gradient(gradient, stride, result);
  at::Tensor planes = at::empty({gradient.size(2), result.size(3), result.size(4), gradient.size(1)}, at::kFloat);
  upsample_loops().backward(upsampling_of(gradient, spatial(result), stride, spatial(gradient)), gradient.const_data_ptr(), planes.mutable_data_ptr<float>(),
                   result.mutable_data_ptr());
}

class UpsampleTrilinear : public torch::autograd::Function<UpsampleTrilinear> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, at::IntArrayRef stride, at::IntArrayRef size,
                            at::TensorList addends) {
    check(input, stride, size, addends);
    const at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast3d);
    std::vector<at::Tensor> kept;
    for (const at::Tensor& addend : addends) kept.push_back(addend.contiguous(at::MemoryFormat::ChannelsLast3d));
    at::Tensor result = empty_volume(x, size);
    upsample(x, stride, kept, result);
    context->saved_data["from"] = spatial(x);
    context->saved_data["stride"] = stride.vec();
    context->saved_data["addends"] = static_cast<int64_t>(kept.size());
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    torch::autograd::variable_list result(3 + context->saved_data["addends"].toInt(), gradients[0]);
    result[0] = context->needs_input_grad(0) ? input_gradient(context, gradients[0]) : at::Tensor();
    result[1] = result[2] = at::Tensor();
    return result;
  }

 private:
  static at::Tensor input_gradient(torch::autograd::AutogradContext* context, const at::Tensor& whole) {
    const auto from = context->saved_data["from"].toIntVector();
    const auto stride = context->saved_data["stride"].toIntVector();
    if (std::all_of(stride.begin(), stride.end(), [](int64_t step) { return step == 1; })) return whole;
    const at::Tensor gradient = whole.contiguous(at::MemoryFormat::ChannelsLast3d);
    at::Tensor result = empty_volume(gradient, from);
    upsample_gradient(gradient, stride, result);
    return result;
  }
};

at::Tensor upsample_trilinear(const at::Tensor& input, at::IntArrayRef stride, at::IntArrayRef size, at::TensorList addends) {
  return UpsampleTrilinear::apply(input, stride, size, addends);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ronasmis, library) {
  library.def("upsample_trilinear(Tensor input, int[3] stride, int[3] size, Tensor[] addends) -> Tensor", upsample_trilinear);
}

}  // namespace ronasmis
