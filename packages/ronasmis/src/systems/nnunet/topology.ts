import { axiswise } from './arithmetic.ts';

/** Where a U-Net pools, and by what kernels it convolves: one entry a stage, the finest first, of one value an axis. */
export interface Topology {
  /** Voxels of a patch: what the poolings divide without remainder. */
  readonly patch: readonly number[];
  /** From the stage before; 1 of the first. */
  readonly strides: readonly (readonly number[])[];
  readonly kernels: readonly (readonly number[])[];
}

/** No feature map gets shorter than this along an axis that is pooled. */
const leastEdge = 4;
/** Axes are alike whose spacings differ by less than this factor. */
const alike = 2;

/**
 * The topology for patches of about this size (nnU-Net v2: `get_pool_and_conv_props`). Stage by stage, of the axes that are long enough, the finest is halved,
 * and with it those that are less than twice as coarse, so that in the end all have about one spacing. Kernels do not reach across an axis until its spacing
 * is less than twice the finest. The coarsest stage convolves across all.
 * @param spacing of each axis, in millimetres
 * @param patch voxels of each axis, not necessarily whole; those of the result are rounded up
 */
export function topologyFor(spacing: readonly number[], patch: readonly number[]): Topology {
  let grid = { spacing, size: patch };
  let kernel = spacing.map(() => 1);
  const strides: (readonly number[])[] = [kernel];
  const kernels: (readonly number[])[] = [];
  for (let stride = nextStride(grid); stride !== undefined; stride = nextStride(grid)) {
    const finest = Math.min(...grid.spacing);
    const isReached = grid.spacing.map((one) => one / finest < alike);
    kernel = kernel.map((extent, axis) => (isReached[axis] ? 3 : extent));
    kernels.push(kernel);
    strides.push(stride);
    grid = {
      spacing: axiswise(grid.spacing, stride, (one, step) => one * step),
      size: axiswise(grid.size, stride, (one, step) => (step === 1 ? one : Math.ceil(one / step))),
    };
  }
  kernels.push(spacing.map(() => 3));
  const divisors = divisorsOf({ strides });
  return { patch: axiswise(patch, divisors, (size, divisor) => Math.ceil(size / divisor) * divisor), strides, kernels };
}

/** How the next stage pools; undefined where none follows. */
function nextStride(grid: { readonly spacing: readonly number[]; readonly size: readonly number[] }) {
  const { spacing, size } = grid;
  const finest = Math.min(...spacing.filter((_, axis) => size[axis] >= 2 * leastEdge));
  const pooled = size.map((extent, axis) => extent >= 2 * leastEdge && spacing[axis] / finest < alike);
  const lengths = size.filter((_, axis) => pooled[axis]);
  // A single axis is not brought down to the least.
  if (lengths.length === 0 || (lengths.length === 1 && lengths[0] < 3 * leastEdge)) return undefined;
  return pooled.map((isPooled) => (isPooled ? 2 : 1));
}

/** By what each axis of a patch has to be divisible. */
export const divisorsOf = ({ strides }: Pick<Topology, 'strides'>): readonly number[] =>
  strides.reduce((total, stride) => axiswise(total, stride, (one, step) => one * step));
