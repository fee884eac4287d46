// From logits to labels, and how two labels agree: ronasmis::argmax_labels and ronasmis::confusion_matrix. Both
// read what they are given once; libtorch's own operations write int64 volumes, eight times the size of the labels.
#include "argmax.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "cuda/kernels.h"
#include "cuda/labels.h"

namespace ronasmis {

namespace {

const ArgmaxLoops& argmax_loops() {
  static const ArgmaxLoops& best = RONASMIS_BEST_LOOPS(argmax_loops);
  return best;
}

at::Tensor argmax_labels(const at::Tensor& tensor) {
  const at::Tensor checked = checked_logits(tensor.detach());
  TORCH_CHECK(checked.size(1) <= 256, "a uint8 has no room for ", checked.size(1), " classes");
  at::Tensor labels = at::empty({checked.size(0), checked.size(2), checked.size(3), checked.size(4)}, checked.options().dtype(at::kByte));
  if (cuda::takes(checked)) cuda::argmax_labels(checked, labels);
  else argmax_loops().labels(logits_of(checked), labels.mutable_data_ptr<uint8_t>());
  return labels;
}

// Voxels of a piece of work, and how many neighbours are counted apart: the count of a pair is read before its last change is
// written where neighbours, which are often alike, share it.
constexpr int64_t kCountedVoxels = 65536;
constexpr int64_t kApart = 4;

// Adds to counts[label * classes + prediction]. Returns false, and has added nothing, where a value is no class.
bool count_piece(const uint8_t* prediction, const uint8_t* label, int64_t length, int64_t classes, std::vector<int64_t>& counts) {
  uint8_t largest = 0;
  for (int64_t i = 0; i < length; ++i) largest = std::max({largest, prediction[i], label[i]});
  if (largest >= classes) return false;
  const int64_t pairs = classes * classes;
  std::vector<int64_t> apart(kApart * pairs, 0);
  int64_t i = 0;
  for (; i + kApart <= length; i += kApart)
    for (int64_t k = 0; k < kApart; ++k) ++apart[k * pairs + label[i + k] * classes + prediction[i + k]];
  for (; i < length; ++i) ++apart[label[i] * classes + prediction[i]];
  for (int64_t k = 0; k < kApart * pairs; ++k) counts[k % pairs] += apart[k];
  return true;
}

at::Tensor confusion_matrix(const at::Tensor& prediction, const at::Tensor& label, int64_t classes) {
  TORCH_CHECK(prediction.scalar_type() == at::kByte && label.scalar_type() == at::kByte && prediction.device() == label.device(),
              "prediction and label must be uint8 on one device");
  TORCH_CHECK(prediction.sizes() == label.sizes(), "the prediction has the shape ", prediction.sizes(), ", the label ", label.sizes());
  TORCH_CHECK(classes >= 1 && classes <= 256, "there can be 1 to 256 classes, not ", classes);
  const at::Tensor predicted = prediction.contiguous();
  const at::Tensor labelled = label.contiguous();
  if (cuda::takes(labelled)) return cuda::confusion_matrix(predicted, labelled, classes);
  const auto *predictions = predicted.const_data_ptr<uint8_t>(), *labels = labelled.const_data_ptr<uint8_t>();
  std::vector<int64_t> total(classes * classes, 0);
  bool good = true;
  std::mutex adding;
  const int64_t voxels = predicted.numel();
  at::parallel_for(0, (voxels + kCountedVoxels - 1) / kCountedVoxels, 1, [&](int64_t begin, int64_t end) {
    std::vector<int64_t> counts(classes * classes, 0);
    bool counted = true;
    for (int64_t first = begin * kCountedVoxels; first < std::min(voxels, end * kCountedVoxels); first += kCountedVoxels)
      counted = count_piece(predictions + first, labels + first, std::min(kCountedVoxels, voxels - first), classes, counts) && counted;
    const std::lock_guard<std::mutex> lock(adding);
    good = good && counted;
    for (int64_t pair = 0; pair < classes * classes; ++pair) total[pair] += counts[pair];
  });
  TORCH_CHECK(good, "prediction or label has a value that is none of the ", classes, " classes, from 0");
  return at::tensor(total, at::kLong).view({classes, classes});
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ronasmis, library) {
  library.def("argmax_labels(Tensor logits) -> Tensor", argmax_labels);
  library.def("confusion_matrix(Tensor prediction, Tensor label, int classes) -> Tensor", confusion_matrix);
}

}  // namespace ronasmis
