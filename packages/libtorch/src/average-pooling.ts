import { add, averagePool3d, divideScalar, permute, reshape, unbind } from './operations.ts';
import { scope, type Tensor } from './tensor.ts';

/**
 * The mean of each cell of `stride` voxels: `[batch, channel, ...size]` gives `[batch, channel, ...size / stride]`, rounded up. Where the
 * stride does not divide an extent, the last cell has the mean of the voxels that there are.
 *
 * Of whole cells it is a sum along one axis after the other, in channels_last_3d: libtorch's pooling takes several times as long, and leaves
 * a result that every later operation has to bring into that layout.
 */
export function averagePooling3d(input: Tensor, stride: readonly number[]): Tensor {
  const [, , ...size] = input.shape;
  // An axis that is shorter than the stride has one cell, which is all of it.
  const cell = size.map((extent, axis) => Math.min(extent, stride[axis]));
  if (size.some((extent, axis) => extent % cell[axis] > 0))
    return averagePool3d(input, cell, { stride: cell, ceilMode: true });
  return scope(() => {
    const sum = cell.reduce(sumAlong, permute(input, [0, 2, 3, 4, 1]));
    const voxels = cell.reduce((product, step) => product * step, 1);
    return permute(divideScalar(sum, voxels), [0, 4, 1, 2, 3]);
  });
}

/** Sums of `step` neighbours along a spatial axis of `[batch, depth, height, width, channel]`. */
function sumAlong(input: Tensor, step: number, axis: number): Tensor {
  const { shape } = input;
  if (step === 1) return input;
  const apart = [...shape.slice(0, axis + 1), shape[axis + 1] / step, step, ...shape.slice(axis + 2)];
  return unbind(reshape(input, apart), axis + 2).reduce((sum, part) => add(sum, part));
}
