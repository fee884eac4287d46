// Logits [batch, class, depth, height, width] of either layout, as the loops read them.
#pragma once

#include <cstdint>

namespace at {
class Tensor;
}

namespace ronasmis {

// Value of batch b, class c, voxel v: data[b * classes * voxels + c * class_stride + v * voxel_stride].
struct Logits {
  const void* data;
  int64_t batch;
  int64_t classes;
  int64_t voxels;
  int64_t class_stride;
  int64_t voxel_stride;
  bool bfloat16;  // else float32
};

// The tensor itself where it is contiguous or channels_last_3d, else a copy in the latter. Throws where it is no logits.
at::Tensor checked_logits(const at::Tensor& tensor);

// Of a tensor that `checked_logits` has returned.
Logits logits_of(const at::Tensor& tensor);

}  // namespace ronasmis
