import {
  add,
  addScalar,
  arange,
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
  view,
} from '../../src/index.ts';

/** Soft Dice loss and cross-entropy of several levels by libtorch's own operations, in the logits' data type. */
export function composedLoss(
  levels: readonly Tensor[],
  label: Tensor,
  strides: readonly number[],
  weights: readonly number[],
  { offsets = strides.map(() => 0), batchDice = false }: { offsets?: readonly number[]; batchDice?: boolean } = {},
): Tensor {
  return levels
    .map((logits, i) => {
      const downsampled = [0, 1, 2].reduce(
        (kept, axis) => slice(kept, axis + 1, { start: offsets[3 * i + axis], step: strides[3 * i + axis] }),
        label,
      );
      return multiplyScalar(levelLoss(logits, downsampled, batchDice ? [0, 2, 3, 4] : [2, 3, 4]), weights[i]);
    })
    .reduce((total, part) => add(total, part));
}

function levelLoss(logits: Tensor, label: Tensor, axes: readonly number[]): Tensor {
  const classes = view(arange(0, logits.shape[1], { dataType: 'int64', device: logits.device }), [1, -1, 1, 1, 1]);
  const oneHot = to(equal(unsqueeze(label, 1), classes), { dataType: logits.dataType });
  const foreground = (volume: Tensor): Tensor => sum(narrow(volume, 1, 1, volume.shape[1] - 1), axes);
  const probabilities = softmax(logits, 1);
  const overlap = foreground(multiply(probabilities, oneHot));
  const both = add(foreground(probabilities), foreground(oneHot));
  const dice = divide(addScalar(multiplyScalar(overlap, 2), 1e-5), addScalar(both, 1e-5));
  return addScalar(add(negate(meanAll(dice)), crossEntropyLoss(logits, to(label, { dataType: 'int64' }))), 1);
}
