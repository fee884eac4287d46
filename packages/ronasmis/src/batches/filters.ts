import type { Triple } from '../base/geometry.ts';
import type { Block } from './resample.ts';

/** How each value along an axis of a result comes of a source's along the same axis. */
interface Taps {
  /** Values along the axis of the result. */
  readonly size: number;
  /** Values of the source that one of the result comes of. */
  readonly each: number;
  /** For one value of the result after the other: where these are along the axis, and their weights. */
  readonly places: Int32Array;
  readonly weights: Float64Array;
}

const allAxes = [0, 1, 2] as const;

/**
 * Blurs a patch in place by a Gaussian of a standard deviation, in voxels, for each axis. As in nnU-Net (batchgeneratorsv2,
 * `blur_dimension`) it is cut off after about three standard deviations, and the patch goes on as its mirror image beyond its ends.
 */
export function blur(patch: Block<Float32Array>, deviations: Triple): void {
  const blurred = allAxes.reduce<Block<Float32Array>>(
    (before, axis) => filterAlong(before, axis, gaussianTaps(before.shape[axis], deviations[axis])),
    patch,
  );
  patch.values.set(blurred.values);
}

/**
 * Leaves a patch only the detail of `scale` times its resolution along each axis, in place: of so many voxels the nearest, and linear
 * interpolation between them, as nnU-Net does (batchgeneratorsv2, `SimulateLowResolutionTransform`).
 */
export function lowerResolution(patch: Block<Float32Array>, scale: Triple): void {
  const coarse = allAxes.reduce<Block<Float32Array>>((before, axis) => {
    const size = Math.max(1, Math.round(before.shape[axis] * scale[axis]));
    return filterAlong(before, axis, nearestTaps(before.shape[axis], size));
  }, patch);
  const fine = allAxes.reduce(
    (before, axis) => filterAlong(before, axis, linearTaps(before.shape[axis], patch.shape[axis])),
    coarse,
  );
  patch.values.set(fine.values);
}

function filterAlong(source: Block<Float32Array>, axis: 0 | 1 | 2, taps: Taps): Block<Float32Array> {
  const { shape, values } = source;
  const { size, each, places, weights } = taps;
  const extent = shape[axis];
  /** Voxels from one to the next along the axis. */
  const step = shape.slice(axis + 1).reduce((product, other) => product * other, 1);
  const lines = values.length / (extent * step);
  const filtered = new Float32Array(lines * size * step);
  for (let line = 0; line < lines; line++) {
    const from = line * extent * step;
    for (let at = 0; at < size; at++) {
      const to = (line * size + at) * step;
      for (let i = 0; i < step; i++) {
        let sum = 0;
        for (let tap = at * each; tap < (at + 1) * each; tap++)
          sum += weights[tap] * values[from + places[tap] * step + i];
        filtered[to + i] = sum;
      }
    }
  }
  const sizeOf = (other: 0 | 1 | 2): number => (other === axis ? size : shape[other]);
  return { shape: [sizeOf(0), sizeOf(1), sizeOf(2)], values: filtered };
}

function gaussianTaps(extent: number, deviation: number): Taps {
  const radius = Math.floor(3 * deviation + 0.25);
  const each = 2 * radius + 1;
  const kernel = Float64Array.from({ length: each }, (_, tap) => Math.exp(-0.5 * ((tap - radius) / deviation) ** 2));
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  return {
    size: extent,
    each,
    places: Int32Array.from({ length: extent * each }, (_, tap) =>
      reflected(Math.floor(tap / each) + (tap % each) - radius, extent),
    ),
    weights: Float64Array.from({ length: extent * each }, (_, tap) => kernel[tap % each] / total),
  };
}

/** A place along an axis beyond whose ends everything is mirrored, the outermost values not repeated. */
function reflected(place: number, extent: number): number {
  if (extent === 1) return 0;
  const period = 2 * (extent - 1);
  const within = ((place % period) + period) % period;
  return Math.min(within, period - within);
}

/** Of `extent` values the nearest to each of `size` that fill the same length. */
function nearestTaps(extent: number, size: number): Taps {
  const place = (at: number): number => Math.min(extent - 1, Math.floor(((at + 0.5) * extent) / size));
  return {
    size,
    each: 1,
    places: Int32Array.from({ length: size }, (_, at) => place(at)),
    weights: new Float64Array(size).fill(1),
  };
}

/** Between `extent` values, at `size` places that fill the same length; beyond the outermost it is theirs. */
function linearTaps(extent: number, size: number): Taps {
  const place = (at: number): number => Math.min(extent - 1, Math.max(0, ((at + 0.5) * extent) / size - 0.5));
  const toNext = (at: number): number => place(at) - Math.floor(place(at));
  return {
    size,
    each: 2,
    places: Int32Array.from({ length: 2 * size }, (_, tap) =>
      Math.min(extent - 1, Math.floor(place(tap >> 1)) + (tap & 1)),
    ),
    weights: Float64Array.from({ length: 2 * size }, (_, tap) => (tap & 1 ? toNext(tap >> 1) : 1 - toNext(tap >> 1))),
  };
}
