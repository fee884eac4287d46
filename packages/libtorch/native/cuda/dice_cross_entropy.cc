#include "dice_cross_entropy.h"

#include "kernels.h"
#include "logits.h"

namespace ronasmis::cuda {

namespace {

LabelLayout layout_of(const ThinnedLabel& label) {
  LabelLayout result{};
  for (int axis = 0; axis < 3; ++axis) {
    result.whole[axis] = small(label.whole[axis]);
    result.size[axis] = small(label.size[axis]);
    result.stride[axis] = small(label.stride[axis]);
  }
  return result;
}

}  // namespace

DiceSlopes add_level(const at::Tensor& logits, const ThinnedLabel& label, const LevelSettings& settings, at::Tensor& loss) {
  const LogitsLayout layout = layout_of(logits);
  const LabelLayout labels = layout_of(label);
  const unsigned batch = batch_of(logits);
  const int images = static_cast<int>(batch);
  const int pieces = small(divide_up(layout.voxels, kThreads * kLossVoxels));
  const auto options = logits.options();
  const at::Tensor partial = at::empty({images, layout.classes, 3, pieces}, options.dtype(at::kFloat));
  const at::Tensor totals = at::empty({images, layout.classes, 3}, options.dtype(at::kDouble));
  const DiceSlopes slopes{at::empty({images, layout.classes}, options.dtype(at::kFloat)), at::empty({images, layout.classes}, options.dtype(at::kFloat))};
  const Variant variant = variant_of("dice_cross_entropy.cu", logits);
  launch_kernel(logits, variant, "loss_sums", {static_cast<unsigned>(pieces), batch, 1, kThreads}, logits.const_data_ptr(), layout, label.data, labels,
                partial.mutable_data_ptr());
  launch_kernel(logits, variant, "loss_totals", {static_cast<unsigned>(totals.numel()), 1, 1, kThreads}, partial.const_data_ptr(), pieces,
                totals.mutable_data_ptr());
  launch_kernel(logits, variant, "loss_level", {1, 1, 1, kThreads}, totals.const_data_ptr(), images, layout.classes, layout.voxels,
                static_cast<int>(settings.batch_dice), settings.weight, settings.smooth, loss.mutable_data_ptr(), slopes.at_label.mutable_data_ptr(), slopes.everywhere.mutable_data_ptr());
  return slopes;
}

at::Tensor level_gradient(const at::Tensor& logits, const ThinnedLabel& label, const DiceSlopes& slopes, double weight, const at::Tensor& upstream) {
  const LogitsLayout layout = layout_of(logits);
  const at::Tensor scale = upstream.to(at::kFloat);
  at::Tensor result = at::empty_like(logits);
  launch_kernel(logits, variant_of("dice_cross_entropy.cu", logits), "loss_gradient",
                {static_cast<unsigned>(divide_up(layout.voxels, kThreads)), batch_of(logits), 1, kThreads}, logits.const_data_ptr(), layout, label.data,
                layout_of(label), slopes.at_label.const_data_ptr(), slopes.everywhere.const_data_ptr(), scale.const_data_ptr(),
                static_cast<float>(weight), result.mutable_data_ptr());
  return result;
}

}  // namespace ronasmis::cuda
