// From logits to labels, and how two labels agree, on a GPU.
#pragma once

#include <ATen/ATen.h>

namespace ronasmis::cuda {

// Writes the class of the largest logit at each voxel to `labels`, uint8 [batch, depth, height, width].
void argmax_labels(const at::Tensor& logits, at::Tensor& labels);
// int64 [classes, classes]: how often each class was predicted at voxels of each class, the label's class first. Both are contiguous.
// Throws where one has a value that is no class, for which the processor waits for the GPU.
at::Tensor confusion_matrix(const at::Tensor& prediction, const at::Tensor& label, int64_t classes);

}  // namespace ronasmis::cuda
