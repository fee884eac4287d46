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
  /** Whether a class has one Dice, of all voxels of the batch, in place of one for each patch. Not where it is left out. */
  readonly batchDice?: boolean;
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
  options: LossOptions = {},
): Tensor {
  const { hasIgnored = false, crossEntropy = true } = options;
  const levels = logits.map((scores, index) => ({ logits: scores, ...withinLabel(supervised[index], label) }));
  const isFused = hasFusedKernels(label.device) && !hasIgnored && crossEntropy;
  return (isFused ? fusedLoss : composedLoss)(levels, label, options);
}

/**
 * Soft Dice loss (Milletari et al. 2016: 1 - mean over batch and foreground classes of 2 |P L| / (|P| + |L|)) and
 * cross-entropy of each level against the downsampled label, weighted and added up (deep supervision, Dou et al. 2016): a scalar in
 * float32, as one fused operation of libtorch's package, on a processor and on NVIDIA's GPUs (native/kernels, native/cuda). It is 1 more
 * than nnU-Net's (`DC_and_CE_loss`), which takes the Dice from 0.
 *
 * @param label uint8 [batch, depth, height, width], class indices
 */
export function fusedLoss(
  levels: readonly SupervisedLevel[],
  label: Tensor,
  { batchDice = false }: LossOptions = {},
): Tensor {
  return fusedDiceCrossEntropy(
    levels.map(({ logits }) => logits),
    label,
    levels.flatMap(({ stride }) => stride),
    levels.map(({ weight }) => weight),
    { offsets: levels.flatMap(({ offset = first }) => offset), batchDice },
  );
}

/** The first voxel of a cell. */
const first: Triple = [0, 0, 0];

/** The last cells of an axis may be a part of one: then all are compared by a voxel that those have too. */
function withinLabel(level: Supervision, { shape: [, ...size] }: Tensor): Supervision {
  const [depth, height, width] = (level.offset ?? first).map((offset, axis) =>
    Math.min(offset, (size[axis] - 1) % level.stride[axis]),
  );
  return { ...level, offset: [depth, height, width] };
}

/** The same by libtorch's operations, with or without cross-entropy. Voxels of {@link IGNORED_CLASS} count for nothing. */
export function composedLoss(levels: readonly SupervisedLevel[], label: Tensor, options: LossOptions = {}): Tensor {
  return levels
    .map((level) => multiplyScalar(levelLoss(level.logits, downsampleLabel(label, level), options), level.weight))
    .reduce((total, level) => add(total, level));
}

function levelLoss(
  logits: Tensor,
  label: Tensor,
  { crossEntropy: hasCrossEntropy = true, batchDice = false }: LossOptions,
): Tensor {
  const scores = to(logits, { dataType: 'float32' });
  const indices = view(arange(0, logits.shape[1], { dataType: 'int64', device: logits.device }), [1, -1, 1, 1, 1]);
  const oneHot = to(equal(unsqueeze(label, 1), indices), { dataType: 'float32' });
  const counts = to(notEqualScalar(label, IGNORED_CLASS), { dataType: 'float32' });
  const probabilities = multiply(softmax(scores, 1), unsqueeze(counts, 1));
  const dice = diceLoss(probabilities, oneHot, batchDice ? [0, ...spatialAxes] : spatialAxes);
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

/** Of probabilities and a label as one-hot, both float32 [batch, class, depth, height, width]: mean of the Dice over what is left of `axes`. */
function diceLoss(probabilities: Tensor, oneHot: Tensor, axes: readonly number[]): Tensor {
  const foreground = (tensor: Tensor): Tensor => narrow(tensor, 1, 1, tensor.shape[1] - 1);
  const overlap = sum(multiply(foreground(probabilities), foreground(oneHot)), axes);
  const both = add(sum(foreground(probabilities), axes), sum(foreground(oneHot), axes));
  const dice = divide(addScalar(multiplyScalar(overlap, 2), smooth), addScalar(both, smooth));
  return addScalar(negate(meanAll(dice)), 1);
}

/** The voxel at `offset` of each cell of `stride`, of a label [batch, depth, height, width]. */
function downsampleLabel(label: Tensor, { stride, offset = first }: Supervision): Tensor {
  return stride.reduce<Tensor>(
    (result, step, axis) => (step === 1 ? result : slice(result, axis + 1, { start: offset[axis], step })),
    label,
  );
}
