#include "logits.h"

#include <ATen/ATen.h>

#include "cuda/kernels.h"

namespace ronasmis {

at::Tensor checked_logits(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.dim() == 5 && tensor.numel() > 0, "logits must be [batch, class, depth, height, width] and not empty, not ", tensor.sizes());
  cuda::check_readable(tensor, "logits");
  return tensor.is_contiguous() ? tensor : tensor.contiguous(at::MemoryFormat::ChannelsLast3d);
}

Logits logits_of(const at::Tensor& tensor) {
  const int64_t classes = tensor.size(1);
  const int64_t voxels = tensor.size(2) * tensor.size(3) * tensor.size(4);
  const bool contiguous = tensor.is_contiguous();
  return {tensor.const_data_ptr(), tensor.size(0), classes, voxels, contiguous ? voxels : 1, contiguous ? 1 : classes,
          tensor.scalar_type() == at::kBFloat16};
}

}  // namespace ronasmis
