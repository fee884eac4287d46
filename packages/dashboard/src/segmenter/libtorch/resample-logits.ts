import { betweenVoxels } from './places.ts';
import { Tensor } from './tensor.ts';

// From logits to classes, on their own grid or on another one of the same extent: number by number as `resample_logits.cc` of libtorch's package.

/** How logits get onto another grid: `interpolatesLogits` for themselves in place of probabilities, along `nearestAxis` nothing is. */
interface Resampling {
  readonly nearestAxis?: number | undefined;
  readonly interpolatesLogits?: boolean | undefined;
}

/** The first largest class of each voxel, uint8 `[1, depth, height, width]`, of logits `[1, class, depth, height, width]`. */
export function argmaxLabels({ values, shape: [batch, classes, ...size] }: Tensor): Tensor {
  requireOne(batch);
  const voxels = values.length / classes;
  const labels = new Uint8Array(voxels);
  for (let i = 0; i < voxels; i++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (values[c * voxels + i] > values[best * voxels + i]) best = c;
    labels[i] = best;
  }
  return new Tensor(labels, [1, ...size]);
}

/** As {@link argmaxLabels}, of probabilities or logits that are interpolated linearly onto another grid. */
export function resampleArgmax(
  { values, shape: [batch, classes, ...shape] }: Tensor,
  size: readonly number[],
  { nearestAxis, interpolatesLogits = false }: Resampling = {},
): Tensor {
  requireOne(batch);
  const [depth, height, width] = shape;
  const plane = height * width;
  const [depths, rows, columns] = [0, 1, 2].map((axis) => betweenVoxels(size[axis], shape[axis], axis === nearestAxis));
  const labels = new Uint8Array(size[0] * size[1] * size[2]);
  const planes = createPlanes(values, { classes, plane, voxels: depth * plane, interpolatesLogits });
  const [mixed, line] = [new Float32Array(plane), new Float32Array(width)];
  depths.forEach(({ below, above, weight }, z) => {
    const largest = new Float32Array(size[1] * size[2]).fill(Number.NEGATIVE_INFINITY);
    const [one, other] = [planes(below), weight > 0 ? planes(above) : undefined];
    for (let c = 0; c < classes; c++) {
      for (let i = 0; i < plane; i++) {
        mixed[i] = one[c * plane + i];
        if (other !== undefined) mixed[i] = mix(mixed[i], other[c * plane + i], weight);
      }
      rows.forEach((row, y) => {
        for (let x = 0; x < width; x++)
          line[x] = mix(mixed[row.below * width + x], mixed[row.above * width + x], row.weight);
        columns.forEach((column, x) => {
          const at = y * size[2] + x;
          const value = mix(line[column.below], line[column.above], column.weight);
          if (c > 0 && !(value > largest[at])) return;
          largest[at] = value;
          labels[z * size[1] * size[2] + at] = c;
        });
      });
    }
  });
  return new Tensor(labels, [1, ...size]);
}

const { fround } = Math;
const mix = (below: number, above: number, weight: number): number =>
  fround(below + fround(fround(weight) * fround(above - below)));

interface PlaneShape {
  readonly classes: number;
  readonly plane: number;
  readonly voxels: number;
  readonly interpolatesLogits: boolean;
}

/** What is interpolated of each class of a plane, `[class, ...plane]`: the last two planes are kept, for the next depth lies between them too. */
function createPlanes(
  values: Tensor['values'],
  { classes, plane, voxels, interpolatesLogits }: PlaneShape,
): (at: number) => Float32Array {
  const kept = new Map<number, Float32Array>();
  return (at) => {
    const found = kept.get(at);
    if (found !== undefined) return found;
    const made = new Float32Array(classes * plane);
    for (let c = 0; c < classes; c++)
      made.set(values.subarray(c * voxels + at * plane, c * voxels + (at + 1) * plane), c * plane);
    if (!interpolatesLogits) softmax(made, classes, plane);
    for (const old of kept.keys()) if (kept.size > 1) kept.delete(old);
    kept.set(at, made);
    return made;
  };
}

/** Probabilities in place of logits `[class, ...plane]`. */
function softmax(values: Float32Array, classes: number, plane: number): void {
  for (let i = 0; i < plane; i++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, values[c * plane + i]);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum = fround(sum + fround(Math.exp(fround(values[c * plane + i] - largest))));
    const normaliser = fround(largest + fround(Math.log(sum)));
    for (let c = 0; c < classes; c++) values[c * plane + i] = Math.exp(fround(values[c * plane + i] - normaliser));
  }
}

function requireOne(batch: number): void {
  if (batch !== 1) throw new RangeError(`One volume at a time, not ${batch}.`);
}
