import type { Voxels } from './voxels.ts';

/** The smallest and largest value of one channel, as the float32 that it is computed with; NaN or infinite where a voxel is. */
export interface ChannelRange {
  readonly min: number;
  readonly max: number;
  /** Whether every voxel is a number, and none too large for a float32. */
  readonly allFinite: boolean;
}

/** So many voxels are converted at once. */
const BLOCK_VOXELS = 16_384;

/** The range of each of the `channels` equal parts of `data`. */
export function channelRanges(data: Voxels, channels: number): readonly ChannelRange[] {
  const size = data.length / channels;
  // One loop over arrays of one type is several times as fast as one over all of them.
  const block = new Float32Array(BLOCK_VOXELS);
  return Array.from({ length: channels }, (_, channel) => {
    let min = Infinity;
    let max = -Infinity;
    let allFinite = true;
    const end = (channel + 1) * size;
    for (let start = channel * size; start < end; start += BLOCK_VOXELS) {
      const count = Math.min(BLOCK_VOXELS, end - start);
      block.set(data.subarray(start, start + count));
      for (let i = 0; i < count; i++) {
        const value = block[i];
        if (value < min) min = value;
        if (value > max) max = value;
        // The difference is 0 for numbers and NaN for what is none.
        if (value - value !== 0) allFinite = false;
      }
    }
    return { min, max, allFinite };
  });
}

/** A label map with more different values than this is no label map: counting stops there. */
const MAX_DISTINCT_VALUES = 1000;

/** How many voxels have each value. Stops after 1,000 different values. */
export function countValues(data: Voxels): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  // Labels come in runs, so the map is asked once a run and not once a voxel.
  let start = 0;
  let value = data[0];
  for (let i = 1; i <= data.length; i++) {
    if (data[i] === value) continue;
    counts.set(value, (counts.get(value) ?? 0) + i - start);
    if (counts.size > MAX_DISTINCT_VALUES) break;
    start = i;
    value = data[i];
  }
  return counts;
}

/** The sum of some numbers, added up in their order. */
export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Their mean; NaN where there is none. */
export const mean = (values: readonly number[]): number => sum(values) / values.length;

/** Mean and population standard deviation, accumulated in float64 in two passes (the second around the mean). */
export function meanAndDeviation(values: Voxels): { readonly mean: number; readonly deviation: number } {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

/** The value below which `fraction` of the ascending `sorted` lies, interpolated linearly as numpy.percentile does, to the bit. */
export function quantile(sorted: ArrayLike<number>, fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const index = Math.floor(position);
  const [below, above] = [sorted[index], sorted[Math.min(index + 1, sorted.length - 1)]];
  const share = position - index;
  // From the nearer of the two, so that rounding never leads beyond it.
  return share < 0.5 ? below + share * (above - below) : above - (1 - share) * (above - below);
}

/** The middle one of the values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}
