import {
  add,
  addScalar,
  crossEntropyLoss,
  divide,
  equal,
  meanAll,
  multiply,
  multiplyScalar,
  narrow,
  negate,
  slice,
  softmax,
  sum,
  type Tensor,
  to,
  unsqueeze,
} from '@ronasmis/libtorch';
import type { Architecture } from '../space/architecture.ts';
import { strideBetween } from './child.ts';
import { supervisedLevels } from './weights.ts';

/** Keeps the Dice of a class that neither prediction nor label has at 1. */
const smooth = 1e-5;
const spatialAxes = [2, 3, 4];

/**
 * Soft Dice loss (Milletari et al. 2016): 1 - mean over batch and foreground classes of 2 |P L| / (|P| + |L|).
 *
 * @param probabilities float32 [batch, class, depth, height, width]
 * @param oneHot float32, of the same shape
 */
function diceLoss(probabilities: Tensor, oneHot: Tensor): Tensor {
  const foreground = (tensor: Tensor): Tensor => narrow(tensor, 1, 1, tensor.shape[1] - 1);
  const overlap = sum(multiply(foreground(probabilities), foreground(oneHot)), spatialAxes);
  const both = add(sum(foreground(probabilities), spatialAxes), sum(foreground(oneHot), spatialAxes));
  const dice = divide(addScalar(multiplyScalar(overlap, 2), smooth), addScalar(both, smooth));
  return addScalar(negate(meanAll(dice)), 1);
}

/**
 * Dice loss and cross-entropy of one level, in float32.
 *
 * @param logits [batch, class, depth, height, width]
 * @param label int64 [batch, depth, height, width], class indices
 * @param classIndices int64 [1, class, 1, 1, 1]: 0, 1, 2, ...
 */
export function segmentationLoss(logits: Tensor, label: Tensor, classIndices: Tensor): Tensor {
  const scores = to(logits, 'float32');
  const oneHot = to(equal(unsqueeze(label, 1), classIndices), 'float32');
  return add(diceLoss(softmax(scores, 1), oneHot), crossEntropyLoss(scores, label));
}

/**
 * The loss of a child: {@link segmentationLoss} of all supervised decoder levels, each against the label thinned to its
 * resolution, weighted 1, 1/2, 1/4 and normalised (deep supervision, Dou et al. 2016).
 *
 * @param logits of `forward` with deep supervision, the finest first
 * @param label int64 [batch, depth, height, width]
 */
export function childLoss(child: Architecture, logits: readonly Tensor[], label: Tensor, classIndices: Tensor): Tensor {
  const weights = supervisedLevels.map((_, index) => 2 ** -index);
  const total = weights.reduce((sum, value) => sum + value, 0);
  return logits
    .map((scores, index) => {
      const thinned = thin(label, strideBetween(child, 0, supervisedLevels[index]));
      return multiplyScalar(segmentationLoss(scores, thinned, classIndices), weights[index] / total);
    })
    .reduce((sum, part) => add(sum, part));
}

/** Every `stride`-th voxel of a label [batch, depth, height, width]. */
function thin(label: Tensor, stride: readonly number[]): Tensor {
  return stride.reduce((result, step, axis) => (step === 1 ? result : slice(result, axis + 1, 0, null, step)), label);
}
