#pragma once

#include "kernels.h"

namespace ronasmis::cuda {

// Of logits that are contiguous or channels_last_3d.
inline LogitsLayout layout_of(const at::Tensor& logits) {
  const int classes = small(logits.size(1));
  const int voxels = voxels_of(logits);
  const bool contiguous = logits.is_contiguous();
  return {classes, voxels, contiguous ? voxels : 1, contiguous ? 1 : classes};
}

}  // namespace ronasmis::cuda
