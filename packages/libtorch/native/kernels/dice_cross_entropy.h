// The loops of the segmentation loss, compiled once for each kind of vector unit.
#pragma once

#include <cstdint>

#include "capability.h"
#include "logits.h"

namespace ronasmis {

// A label [batch, depth, height, width] of which every `stride`-th voxel counts, from `data` on; `size` is how many those are.
struct ThinnedLabel {
  const uint8_t* data;
  int64_t whole[3];
  int64_t size[3];
  int64_t stride[3];
};

struct DiceCrossEntropyLoops {
  // Per batch, in `sums` [batch, 1 + 3 * classes]: the cross-entropy; then by class the probability where the label is the class,
  // the probability everywhere, and the voxels of the label (of the background, which no Dice counts, 0). Returns the largest value
  // of the label; where it is no class, the sums mean nothing.
  int64_t (*sums)(const Logits& logits, const ThinnedLabel& label, double* sums);
  // Gradient of the logits, in their layout and type. With p the softmax and y the label as one-hot,
  // g = everywhere + at_label * y of the class, and the result is p * (g - sum of p * g) + cross_entropy * (p - y).
  // `at_label` and `everywhere` are [batch, classes].
  void (*gradient)(const Logits& logits, const ThinnedLabel& label, const float* at_label, const float* everywhere, float cross_entropy,
                   void* result);
};

RONASMIS_DECLARE_LOOPS(DiceCrossEntropyLoops, dice_cross_entropy_loops)

}  // namespace ronasmis
