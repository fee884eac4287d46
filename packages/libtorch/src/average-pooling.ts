import { add, averagePool3d, divideScalar, expand, permute, reshape, to, unbind } from './operations.ts';
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
  if (size.some((extent, axis) => extent % cell[axis] > 0)) return pool(input, cell, { stride: cell, ceilMode: true });
  return scope(() => {
    const sum = cell.reduce(sumAlong, permute(input, [0, 2, 3, 4, 1]));
    const voxels = cell.reduce((product, step) => product * step, 1);
    return permute(divideScalar(sum, voxels), [0, 4, 1, 2, 3]);
  });
}

/**
 * The mean of the 3x3x3 voxels around each voxel, of those that there are: `[batch, channel, ...size]` keeps its size. Along an axis of one or two
 * voxels each voxel sees all of the axis.
 */
export function averageAround3d(input: Tensor): Tensor {
  const kernel = input.shape.slice(2).map((extent) => Math.min(extent, 3));
  const padding = kernel.map((extent) => (extent === 3 ? 1 : 0));
  const pooled = pool(input, kernel, { stride: 1, padding, countIncludePad: false });
  return kernel.every((extent) => extent === 3) ? pooled : expand(pooled, input.shape);
}

/** libtorch's pooling, which a processor has in no type that is narrower than float32: these go through it. */
function pool(input: Tensor, kernel: readonly number[], options: Parameters<typeof averagePool3d>[2]): Tensor {
  const { dataType, device } = input;
  if (device !== 'cpu' || dataType === 'float32' || dataType === 'float64')
    return averagePool3d(input, kernel, options);
  return scope(() => to(averagePool3d(to(input, { dataType: 'float32' }), kernel, options), { dataType }));
}

/** Sums of `step` neighbours along a spatial axis of `[batch, depth, height, width, channel]`. */
function sumAlong(input: Tensor, step: number, axis: number): Tensor {
  const { shape } = input;
  if (step === 1) return input;
  const apart = [...shape.slice(0, axis + 1), shape[axis + 1] / step, step, ...shape.slice(axis + 2)];
  return unbind(reshape(input, apart), axis + 2).reduce((sum, part) => add(sum, part));
}
