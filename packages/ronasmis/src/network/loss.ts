import {
  add,
  addScalar,
  arange,
  clamp,
  crossEntropyLoss,
  divide,
  equal,
  fusedDiceCrossEntropy,
  hasFusedKernels,
  meanAll,
  multiply,
  multiplyScalar,
  narrow,
  negate,
  notEqualScalar,
  slice,
  softmax,
  sum,
  sumAll,
  type Tensor,
  to,
  unsqueeze,
  view,
} from '@ronasmis/libtorch';
import type { Triple } from '../base/geometry.ts';
import { IGNORED_CLASS } from '../data/description.ts';
import type { Supervision } from './definition.ts';
import type { Network } from './network.ts';

/** Logits `[batch, class, depth, height, width]` and how they are compared with the label. */
export interface SupervisedLevel extends Supervision {
  readonly logits: Tensor;
}

/** What a loss is made of. */
export interface LossOptions {
  /** Whether the label may have voxels of {@link IGNORED_CLASS}, which then count for nothing. Not where it is left out. */
  readonly hasIgnored?: boolean;
  /** Whether cross-entropy is added to the soft Dice loss; so where it is left out. */
  readonly crossEntropy?: boolean;
}

/**
 * The loss of a network: {@link fusedLoss}, or where that does not know what is wanted {@link composedLoss}, of all logits that it is supervised by.
 *
 * @param logits of `forward` with deep supervision, the finest first
 * @param label uint8 `[batch, depth, height, width]`
 */
export function networkLoss(
  { supervised }: Pick<Network, 'supervised'>,
  logits: readonly Tensor[],
  label: Tensor,
  { hasIgnored = false, crossEntropy = true }: LossOptions = {},
): Tensor {
  const levels = logits.map((scores, index) => ({ logits: scores, ...supervised[index] }));
  const isFused = hasFusedKernels(label.device) && !hasIgnored && crossEntropy;
  return isFused ? fusedLoss(levels, label) : composedLoss(levels, label, crossEntropy);
}

/**
 * Soft Dice loss (Milletari et al. 2016: 1 - mean over batch and foreground classes of 2 |P L| / (|P| + |L|)) and
 * cross-entropy of each level against the downsampled label, weighted and added up (deep supervision, Dou et al. 2016): a scalar in
 * float32, as one fused operation of libtorch's package, on a processor and on NVIDIA's GPUs (native/kernels, native/cuda).
 *
 * @param label uint8 [batch, depth, height, width], class indices
 */
export function fusedLoss(levels: readonly SupervisedLevel[], label: Tensor): Tensor {
  return fusedDiceCrossEntropy(
    levels.map(({ logits }) => logits),
    label,
    levels.flatMap(({ stride }) => stride),
    levels.map(({ weight }) => weight),
  );
}

/** The same by libtorch's operations, with or without cross-entropy. Voxels of {@link IGNORED_CLASS} count for nothing. */
export function composedLoss(levels: readonly SupervisedLevel[], label: Tensor, hasCrossEntropy = true): Tensor {
  return levels
    .map(({ logits, stride, weight }) =>
      multiplyScalar(levelLoss(logits, downsampleLabel(label, stride), hasCrossEntropy), weight),
    )
    .reduce((total, level) => add(total, level));
}

function levelLoss(logits: Tensor, label: Tensor, hasCrossEntropy: boolean): Tensor {
  const scores = to(logits, { dataType: 'float32' });
  const indices = view(arange(0, logits.shape[1], { dataType: 'int64', device: logits.device }), [1, -1, 1, 1, 1]);
  const oneHot = to(equal(unsqueeze(label, 1), indices), { dataType: 'float32' });
  const counts = to(notEqualScalar(label, IGNORED_CLASS), { dataType: 'float32' });
  const probabilities = multiply(softmax(scores, 1), unsqueeze(counts, 1));
  const dice = diceLoss(probabilities, oneHot);
  if (!hasCrossEntropy) return dice;
  const crossEntropy = crossEntropyLoss(scores, to(label, { dataType: 'int64' }), {
    reduction: sumOfVoxels,
    ignoreIndex: IGNORED_CLASS,
  });
  // A patch may have nothing but ignored voxels.
  return add(dice, divide(crossEntropy, clamp(sumAll(counts), { min: 1 })));
}

/** What libtorch calls the reduction. */
const sumOfVoxels = 2;

/** Keeps the Dice of a class that neither prediction nor label has at 1. The same stands in native/kernels. */
const smooth = 1e-5;
const spatialAxes = [2, 3, 4];

/** Of probabilities and a label as one-hot, both float32 [batch, class, depth, height, width]. */
function diceLoss(probabilities: Tensor, oneHot: Tensor): Tensor {
  const foreground = (tensor: Tensor): Tensor => narrow(tensor, 1, 1, tensor.shape[1] - 1);
  const overlap = sum(multiply(foreground(probabilities), foreground(oneHot)), spatialAxes);
  const both = add(sum(foreground(probabilities), spatialAxes), sum(foreground(oneHot), spatialAxes));
  const dice = divide(addScalar(multiplyScalar(overlap, 2), smooth), addScalar(both, smooth));
  return addScalar(negate(meanAll(dice)), 1);
}

/** Every `stride`-th voxel of a label [batch, depth, height, width]. */
function downsampleLabel(label: Tensor, stride: Triple): Tensor {
  return stride.reduce<Tensor>(
    (result, step, axis) => (step === 1 ? result : slice(result, axis + 1, { step })),
    label,
  );
}
