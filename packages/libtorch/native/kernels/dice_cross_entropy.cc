// Soft Dice loss and cross-entropy of several levels of logits in one: ronasmis::dice_cross_entropy, forward and backward.
// libtorch's own operations make a dozen volumes of the logits' size on the way; this makes none but the gradient.
#include "dice_cross_entropy.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <vector>

#include "cuda/dice_cross_entropy.h"
#include "cuda/kernels.h"

namespace ronasmis {

namespace {

// Keeps the Dice of a class that neither prediction nor label has at 1.
constexpr double kSmooth = 1e-5;

const DiceCrossEntropyLoops& dice_cross_entropy_loops() {
  static const DiceCrossEntropyLoops& best = RONASMIS_BEST_LOOPS(dice_cross_entropy_loops);
  return best;
}

// The voxels of a label that a level is compared with, from that at `offset` on.
ThinnedLabel downsampled(const at::Tensor& label, const int64_t* stride, const int64_t* offset) {
  ThinnedLabel result{};
  result.data = label.const_data_ptr<uint8_t>();
  for (int64_t axis = 0; axis < 3; ++axis) {
    result.whole[axis] = label.size(axis + 1);
    result.stride[axis] = stride[axis];
    result.size[axis] = (label.size(axis + 1) - offset[axis] - 1) / stride[axis] + 1;
    result.data += offset[axis] * label.stride(axis + 1);
  }
  return result;
}

void check(at::TensorList logits, const at::Tensor& label, at::IntArrayRef strides, at::ArrayRef<double> weights, at::IntArrayRef offsets) {
  TORCH_CHECK(!logits.empty() && strides.size() == 3 * logits.size() && weights.size() == logits.size() && offsets.size() == strides.size(),
              "each of the levels, of which there must be one or more, needs three strides, a weight and, if any are given, three offsets");
  TORCH_CHECK(label.dim() == 4 && label.numel() > 0 && label.scalar_type() == at::kByte,
              "the label must be uint8 [batch, depth, height, width] and not empty, not ", label.scalar_type(), " ", label.sizes());
  for (const at::Tensor& level : logits) TORCH_CHECK(level.device() == label.device(), "logits and label must be on one device");
  for (const int64_t stride : strides) TORCH_CHECK(stride >= 1, "a stride must be 1 or more, not ", stride);
  for (size_t i = 0; i < offsets.size(); ++i)
    TORCH_CHECK(offsets[i] >= 0 && offsets[i] < strides[i] && offsets[i] < label.size(1 + i % 3), "an offset must be within the stride ", strides[i],
                " and the label ", label.sizes(), ", unlike ", offsets[i]);
}

void check_level(const at::Tensor& logits, const at::Tensor& label, const ThinnedLabel& kept) {
  TORCH_CHECK(logits.size(1) > 1, "logits must have two classes or more");
  TORCH_CHECK(logits.size(0) == label.size(0) && logits.size(2) == kept.size[0] && logits.size(3) == kept.size[1] && logits.size(4) == kept.size[2],
              "logits ", logits.sizes(), " are not of the size of the label ", label.sizes(), " downsampled by ", kept.stride[0], ", ", kept.stride[1],
              " and ", kept.stride[2]);
}

// Gives each batch what all have together, of the terms that Dice is made of.
void add_up_batch(std::vector<double>& sums, int64_t terms) {
  for (int64_t term = 1; term < terms; ++term) {
    double total = 0;
    for (size_t at = term; at < sums.size(); at += terms) total += sums[at];
    for (size_t at = term; at < sums.size(); at += terms) sums[at] = total;
  }
}

// Adds the value of a level times `weight` to `loss`, a float64 scalar. With `batch_dice` a class has one Dice, of all voxels of the batch.
DiceSlopes add_level(const at::Tensor& tensor, const ThinnedLabel& label, double weight, bool batch_dice, at::Tensor& loss) {
  if (cuda::takes(tensor)) return cuda::add_level(tensor, label, {weight, kSmooth, batch_dice}, loss);
  const Logits logits = logits_of(tensor);
  const int64_t terms = 1 + 3 * logits.classes;
  std::vector<double> sums(logits.batch * terms);
  const int64_t largest = dice_cross_entropy_loops().sums(logits, label, sums.data());
  TORCH_CHECK(largest < logits.classes, "the label has a voxel of class ", largest, ", but there are ", logits.classes, " classes, from 0");
  DiceSlopes slopes{at::zeros({logits.batch, logits.classes}, at::kFloat), at::zeros({logits.batch, logits.classes}, at::kFloat)};
  if (batch_dice) add_up_batch(sums, terms);
  const auto share = static_cast<double>(logits.batch * (logits.classes - 1));
  // A voxel's probability counts in the Dice of its own batch, or in that of all, which is added up for each.
  const double slope_share = batch_dice ? share / static_cast<double>(logits.batch) : share;
  double value = 0;
  for (int64_t batch = 0; batch < logits.batch; ++batch) {
    const double* values = sums.data() + batch * terms;
    value += values[0] / static_cast<double>(logits.batch * logits.voxels);
    for (int64_t c = 1; c < logits.classes; ++c) {
      const double overlap = 2 * values[1 + c] + kSmooth;
      const double both = values[1 + logits.classes + c] + values[1 + 2 * logits.classes + c] + kSmooth;
      value += (1 - overlap / both) / share;
      slopes.at_label.mutable_data_ptr<float>()[batch * logits.classes + c] = static_cast<float>(-2 / both / slope_share);
      slopes.everywhere.mutable_data_ptr<float>()[batch * logits.classes + c] = static_cast<float>(overlap / (both * both) / slope_share);
    }
  }
  loss.mutable_data_ptr<double>()[0] += weight * value;
  return slopes;
}

at::Tensor level_gradient(const at::Tensor& tensor, const ThinnedLabel& label, const DiceSlopes& slopes, double weight, const at::Tensor& upstream) {
  if (cuda::takes(tensor)) return cuda::level_gradient(tensor, label, slopes, weight, upstream);
  const double scale = upstream.item<double>() * weight;
  const at::Tensor at_label = slopes.at_label * scale;
  const at::Tensor everywhere = slopes.everywhere * scale;
  const Logits logits = logits_of(tensor);
  at::Tensor result = at::empty_like(tensor);
  dice_cross_entropy_loops().gradient(logits, label, at_label.const_data_ptr<float>(), everywhere.const_data_ptr<float>(),
                   static_cast<float>(scale / static_cast<double>(logits.batch * logits.voxels)), result.mutable_data_ptr());
  return result;
}

class DiceCrossEntropy : public torch::autograd::Function<DiceCrossEntropy> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, at::TensorList logits, const at::Tensor& any_label, at::IntArrayRef strides,
                            at::ArrayRef<double> weights, at::IntArrayRef any_offsets, bool batch_dice) {
    const std::vector<int64_t> offsets = any_offsets.empty() ? std::vector<int64_t>(strides.size(), 0) : any_offsets.vec();
    check(logits, any_label, strides, weights, offsets);
    const at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor label = any_label.contiguous();
    torch::autograd::variable_list saved{label};
    at::Tensor loss = at::zeros({}, label.options().dtype(at::kDouble));
    for (size_t i = 0; i < logits.size(); ++i) {
      const at::Tensor tensor = checked_logits(logits[i]);
      const ThinnedLabel kept = downsampled(label, strides.data() + 3 * i, offsets.data() + 3 * i);
      check_level(tensor, label, kept);
      const auto [at_label, everywhere] = add_level(tensor, kept, weights[i], batch_dice, loss);
      saved.insert(saved.end(), {tensor, at_label, everywhere});
    }
    context->save_for_backward(saved);
    context->saved_data["strides"] = strides.vec();
    context->saved_data["weights"] = weights.vec();
    context->saved_data["offsets"] = offsets;
    return loss.to(at::kFloat);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto strides = context->saved_data["strides"].toIntVector();
    const auto weights = context->saved_data["weights"].toDoubleVector();
    const auto offsets = context->saved_data["offsets"].toIntVector();
    torch::autograd::variable_list result(weights.size() + 5);
    for (size_t i = 0; i < weights.size(); ++i) {
      if (!context->needs_input_grad(i)) continue;
      const DiceSlopes slopes{saved[2 + 3 * i], saved[3 + 3 * i]};
      const ThinnedLabel kept = downsampled(saved[0], strides.data() + 3 * i, offsets.data() + 3 * i);
      result[i] = level_gradient(saved[1 + 3 * i], kept, slopes, weights[i], gradients[0]);
    }
    return result;
  }
};

at::Tensor dice_cross_entropy(at::TensorList logits, const at::Tensor& label, at::IntArrayRef strides, at::ArrayRef<double> weights,
                              at::IntArrayRef offsets, bool batch_dice) {
  return DiceCrossEntropy::apply(logits, label, strides, weights, offsets, batch_dice);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ronasmis, library) {
  library.def("dice_cross_entropy(Tensor[] logits, Tensor label, int[] strides, float[] weights, int[] offsets=[], bool batch_dice=False) -> Tensor",
              dice_cross_entropy);
}

}  // namespace ronasmis
