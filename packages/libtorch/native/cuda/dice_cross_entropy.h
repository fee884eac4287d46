// The segmentation loss of one level on a GPU, with the results that a processor's has too.
#pragma once

#include <ATen/ATen.h>

#include "kernels/dice_cross_entropy.h"

namespace ronasmis {

// What the gradient of a level is computed from: the derivative of the Dice loss by each class's probability is `everywhere`, plus
// `at_label` at voxels that the label says are of the class. All for a weight of 1, float32 [batch, class].
struct DiceSlopes {
  at::Tensor at_label, everywhere;
};

// What a level counts for and how its Dice is taken: with `batch_dice` a class has one, of all voxels of the batch.
struct LevelSettings {
  double weight, smooth;
  bool batch_dice;
};

namespace cuda {

// Adds the level's loss times its weight to `loss`, a float64 scalar on the device. A label that is no class makes it NaN.
DiceSlopes add_level(const at::Tensor& logits, const ThinnedLabel& label, const LevelSettings& settings, at::Tensor& loss);
// The gradient of the logits, where that of the loss is `upstream`.
at::Tensor level_gradient(const at::Tensor& logits, const ThinnedLabel& label, const DiceSlopes& slopes, double weight, const at::Tensor& upstream);

}  // namespace cuda

}  // namespace ronasmis
