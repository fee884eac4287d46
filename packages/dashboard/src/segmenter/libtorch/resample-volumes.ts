import { betweenVoxels, nearestVoxel, placeOf } from './places.ts';
import { Tensor } from './tensor.ts';

// Images and labels on another grid of the same extent, number by number as `resample_volumes.cc` of libtorch's package.

type Size = readonly number[];

/** Voxels by which a line is continued at both ends, so that every place has four neighbours. */
const padding = 2;
/** Of the recursive filter that turns values into the coefficients of a cubic B-spline through them: sqrt(3) - 2 (Unser 1999, box 2). */
const pole = -0.2679491924311227;
const gain = 6;

/** An image `[depth, height, width]`, float32, by cubic B-splines, and along `nearestAxis` by the nearest voxel; no brighter and no darker than it was. */
export function resampleCubic(
  volume: Tensor,
  size: Size,
  { nearestAxis }: { readonly nearestAxis?: number | undefined } = {},
): Tensor {
  // What shrinks comes first, so that there is less to do for the others.
  const axes = [0, 1, 2].sort((one, other) => size[one] * volume.shape[other] - size[other] * volume.shape[one]);
  const resampled = axes.reduce((result, axis) => {
    if (size[axis] === result.shape[axis]) return result;
    return along(result, axis, size[axis], axis === nearestAxis ? nearestLine : cubicLine);
  }, volume);
  const values = resampled.toArray();
  const [low, high] = rangeOf(volume.values);
  return new Tensor(
    values.map((value) => Math.min(high, Math.max(low, value))),
    size,
  );
}

function rangeOf(values: Tensor['values']): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Makes the function that interpolates a line of `from` values into one of `size`. */
type Line = (from: number, size: number) => (line: Float64Array, result: Float64Array) => void;

function along({ values, shape }: Tensor, axis: number, size: number, make: Line): Tensor {
  const from = shape[axis];
  const stride = shape.slice(axis + 1).reduce((product, extent) => product * extent, 1);
  const lines = values.length / from;
  const target = new Float32Array(lines * size);
  const [line, result] = [new Float64Array(from), new Float64Array(size)];
  const interpolate = make(from, size);
  for (let at = 0; at < lines; at++) {
    const [outer, inner] = [Math.floor(at / stride), at % stride];
    for (let i = 0; i < from; i++) line[i] = values[(outer * from + i) * stride + inner];
    interpolate(line, result);
    for (let i = 0; i < size; i++) target[(outer * size + i) * stride + inner] = result[i];
  }
  return new Tensor(
    target,
    shape.map((extent, other) => (other === axis ? size : extent)),
  );
}

const nearestLine: Line = (from, size) => {
  const voxels = Array.from({ length: size }, (_, index) => nearestVoxel(placeOf(index, size, from), from));
  return (line, result) => {
    for (let i = 0; i < size; i++) result[i] = line[voxels[i]];
  };
};

const cubicLine: Line = (from, size) => {
  const taps = Array.from({ length: size }, (_, index) => {
    const place = placeOf(index, size, from);
    const t = place - Math.floor(place);
    const s = 1 - t;
    const weights = [
      (s * s * s) / 6,
      (4 - 6 * t * t + 3 * t * t * t) / 6,
      (4 - 6 * s * s + 3 * s * s * s) / 6,
      (t * t * t) / 6,
    ] as const;
    return { first: Math.floor(place) - 1 + padding, weights };
  });
  const padded = new Float64Array(from + 2 * padding);
  return (line, result) => {
    for (let i = 0; i < padded.length; i++) padded[i] = line[Math.min(from - 1, Math.max(0, i - padding))];
    filter(padded);
    taps.forEach(({ first, weights: [a, b, c, d] }, i) => {
      result[i] = a * padded[first] + b * padded[first + 1] + c * padded[first + 2] + d * padded[first + 3];
    });
  };
};

/** Turns values into B-spline coefficients, in place. Both ends are as if the line went on constantly for ever. */
function filter(values: Float64Array): void {
  const last = values.length - 1;
  const limit = (gain * values[last]) / (1 - pole);
  values[0] *= gain / (1 - pole);
  for (let i = 1; i <= last; i++) values[i] = gain * values[i] + pole * values[i - 1];
  values[last] = -pole * (limit / (1 - pole) + (values[last] - limit) / (1 - pole * pole));
  for (let i = last - 1; i >= 0; i--) values[i] = pole * (values[i + 1] - values[i]);
}

/** Labels `[depth, height, width]`, uint8: the one of which the most is there by linear weights; of equal ones the largest. */
export function resampleLabels(
  volume: Tensor,
  size: Size,
  { nearestAxis }: { readonly nearestAxis?: number | undefined } = {},
): Tensor {
  const { values, shape } = volume;
  const [depths, rows, columns] = [0, 1, 2].map((axis) => betweenVoxels(size[axis], shape[axis], axis === nearestAxis));
  const result = new Uint8Array(size[0] * size[1] * size[2]);
  let to = 0;
  for (const z of depths) {
    for (const y of rows) {
      const starts = [z.below, z.above].flatMap((plane) =>
        [y.below, y.above].map((row) => (plane * shape[1] + row) * shape[2]),
      );
      const shares = [1 - z.weight, z.weight].flatMap((one) => [1 - y.weight, y.weight].map((other) => one * other));
      for (const x of columns) {
        const labels = starts.flatMap((start) => [values[start + x.below], values[start + x.above]]);
        result[to++] = heaviest(
          labels,
          shares.flatMap((share) => [share * (1 - x.weight), share * x.weight]),
        );
      }
    }
  }
  return new Tensor(result, size);
}

function heaviest(labels: readonly number[], weights: readonly number[]): number {
  let [best, most] = [0, -1];
  for (const label of labels) {
    let sum = 0;
    for (let i = 0; i < labels.length; i++) if (labels[i] === label) sum += weights[i];
    if (sum > most || (sum === most && label > best)) [best, most] = [label, sum];
  }
  return best;
}
