// The loops of the argmax over classes, compiled once for each kind of vector unit.
#pragma once

#include <cstdint>

#include "capability.h"
#include "logits.h"

namespace ronasmis {

struct ArgmaxLoops {
  // The class of the largest value at each voxel, the first of equal ones; NaN is larger than all. `labels` is [batch, voxels].
  void (*labels)(const Logits& logits, uint8_t* labels);
};

RONASMIS_DECLARE_LOOPS(ArgmaxLoops, argmax_loops)

}  // namespace ronasmis
