import type { Triple } from '../base/geometry.ts';

/** By what strides a volume is thinned, `[depth, height, width]`: 2 where every second voxel is left, 1 where all are. */
export type Thinning = Triple;

/** `[depth, height, width]` of what a thinning leaves of a volume. */
export function thinnedShape(shape: Triple, thinning: Thinning): Triple {
  const along = (axis: 0 | 1 | 2): number => Math.ceil(shape[axis] / thinning[axis]);
  return [along(0), along(1), along(2)];
}

/**
 * Thins images, flat volumes of `shape` one after the other (themselves, where nothing is to be thinned): of each thinned axis every second voxel, smoothed by the mean with its neighbours,
 * so that what is finer than the thinned grid does not alias.
 */
export function thinImages(values: Float32Array, shape: Triple, thinning: Thinning): Float32Array {
  return ([0, 1, 2] as const).reduce<{ readonly values: Float32Array; readonly shape: Triple }>(
    (thinned, axis) => (thinning[axis] === 1 ? thinned : thinAlong(thinned, axis)),
    { values, shape },
  ).values;
}

/** Along one axis, of every second voxel the mean with the one before and the one behind it, as far as these are there. */
function thinAlong({ values, shape }: { readonly values: Float32Array; readonly shape: Triple }, axis: 0 | 1 | 2) {
  const extent = shape[axis];
  /** Voxels from one to the next along the axis. */
  const step = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const left = Math.ceil(extent / 2);
  const lines = values.length / (extent * step);
  const thinned = new Float32Array(lines * left * step);
  for (let line = 0; line < lines; line++) {
    for (let at = 0; at < left; at++) {
      const [from, to] = [(line * extent + 2 * at) * step, (line * left + at) * step];
      const before = at > 0 ? step : 0;
      const behind = 2 * at + 1 < extent ? step : 0;
      const count = 1 + Math.sign(before) + Math.sign(behind);
      for (let i = 0; i < step; i++) {
        let sum = values[from + i];
        if (before > 0) sum += values[from + i - before];
        if (behind > 0) sum += values[from + i + behind];
        thinned[to + i] = sum / count;
      }
    }
  }
  const size = (other: 0 | 1 | 2): number => (other === axis ? left : shape[other]);
  return { values: thinned, shape: [size(0), size(1), size(2)] as const };
}

/** Thins labels, flat volumes of `shape` one after the other: the voxels at which {@link thinImages} has an image's. */
export function thinLabels(values: Uint8Array, shape: Triple, thinning: Thinning): Uint8Array {
  if (thinning.every((stride) => stride === 1)) return values;
  const [depth, height, width] = shape;
  const [thinDepth, thinHeight, thinWidth] = thinnedShape(shape, thinning);
  const volumes = values.length / (depth * height * width);
  const thinned = new Uint8Array(volumes * thinDepth * thinHeight * thinWidth);
  let to = 0;
  for (let volume = 0; volume < volumes; volume++) {
    for (let z = 0; z < depth; z += thinning[0]) {
      for (let y = 0; y < height; y += thinning[1]) {
        const row = ((volume * depth + z) * height + y) * width;
        for (let x = 0; x < width; x += thinning[2]) thinned[to++] = values[row + x];
      }
    }
  }
  return thinned;
}
