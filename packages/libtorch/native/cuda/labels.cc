#include "labels.h"

#include <algorithm>

#include "kernels.h"
#include "logits.h"

namespace ronasmis::cuda {

namespace {

// Enough to keep a GPU busy; each has counts of its own, which are added in the end.
constexpr int64_t kMostBlocks = 1024;
constexpr int64_t kVoxelsPerThread = 16;

}  // namespace

void argmax_labels(const at::Tensor& logits, at::Tensor& labels) {
  const LogitsLayout layout = layout_of(logits);
  launch_kernel(logits, variant_of("labels.cu", logits), "argmax_labels",
                {static_cast<unsigned>(divide_up(layout.voxels, kThreads)), batch_of(logits), 1, kThreads}, logits.const_data_ptr(), layout,
                labels.mutable_data_ptr());
}

at::Tensor confusion_matrix(const at::Tensor& prediction, const at::Tensor& label, int64_t classes) {
  const int64_t pairs = classes * classes;
  at::Tensor counts = at::zeros({pairs + 1}, label.options().dtype(at::kLong));
  const int64_t voxels = label.numel();
  const int64_t blocks = std::clamp<int64_t>(divide_up(voxels, kThreads * kVoxelsPerThread), 1, kMostBlocks);
  launch_kernel(label, {"labels.cu", 0, 1}, "count_pairs", {static_cast<unsigned>(blocks), 1, 1, kThreads}, prediction.const_data_ptr(),
                label.const_data_ptr(), voxels, static_cast<int>(classes), counts.mutable_data_ptr());
  TORCH_CHECK(counts[pairs].item<int64_t>() == 0, "prediction or label has a value that is none of the ", classes, " classes, from 0");
  return counts.slice(0, 0, pairs).view({classes, classes});
}

}  // namespace ronasmis::cuda
