import { isOne, type Triple } from '../base/geometry.ts';

/** By what strides a volume is downsampled, `[depth, height, width]`: 2 where half of the voxels are left, 1 where all are. */
export type Downsampling = readonly [1 | 2, 1 | 2, 1 | 2];

/** `[depth, height, width]` of what a downsampling leaves of a volume. */
export function downsampledShape(shape: Triple, downsampling: Downsampling): Triple {
  const along = (axis: 0 | 1 | 2): number => Math.ceil(shape[axis] / downsampling[axis]);
  return [along(0), along(1), along(2)];
}

/**
 * Downsamples images, flat volumes of `shape` one after the other (themselves, where nothing is to be downsampled): of each downsampled axis the mean of two voxels,
 * as a network pools them that is joined with a coarse one.
 */
export function downsampleImages(values: Float32Array, shape: Triple, downsampling: Downsampling): Float32Array {
  return ([0, 1, 2] as const).reduce<{ readonly values: Float32Array; readonly shape: Triple }>(
    (downsampled, axis) => (downsampling[axis] === 1 ? downsampled : downsampleAlong(downsampled, axis)),
    { values, shape },
  ).values;
}

/** Along one axis, of every second voxel the mean with the one behind it, if it is there. */
function downsampleAlong(
  { values, shape }: { readonly values: Float32Array; readonly shape: Triple },
  axis: 0 | 1 | 2,
) {
  const extent = shape[axis];
  /** Voxels from one to the next along the axis. */
  const step = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const left = Math.ceil(extent / 2);
  const lines = values.length / (extent * step);
  const downsampled = new Float32Array(lines * left * step);
  for (let line = 0; line < lines; line++) {
    for (let at = 0; at < left; at++) {
      const [from, to] = [(line * extent + 2 * at) * step, (line * left + at) * step];
      const behind = 2 * at + 1 < extent ? step : 0;
      for (let i = 0; i < step; i++) downsampled[to + i] = (values[from + i] + values[from + i + behind]) / 2;
    }
  }
  const size = (other: 0 | 1 | 2): number => (other === axis ? left : shape[other]);
  return { values: downsampled, shape: [size(0), size(1), size(2)] as const };
}

/** Downsamples labels, flat volumes of `shape` one after the other: the first voxel of each cell whose mean {@link downsampleImages} takes. */
export function downsampleLabels(values: Uint8Array, shape: Triple, downsampling: Downsampling): Uint8Array {
  if (isOne(downsampling)) return values;
  const [depth, height, width] = shape;
  const [smallDepth, smallHeight, smallWidth] = downsampledShape(shape, downsampling);
  const volumes = values.length / (depth * height * width);
  const downsampled = new Uint8Array(volumes * smallDepth * smallHeight * smallWidth);
  let to = 0;
  for (let volume = 0; volume < volumes; volume++) {
    for (let z = 0; z < depth; z += downsampling[0]) {
      for (let y = 0; y < height; y += downsampling[1]) {
        const row = ((volume * depth + z) * height + y) * width;
        for (let x = 0; x < width; x += downsampling[2]) downsampled[to++] = values[row + x];
      }
    }
  }
  return downsampled;
}
