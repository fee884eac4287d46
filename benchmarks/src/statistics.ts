/** The middle of the sorted values, or the mean of the two in the middle. Throws where there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('There is no median of nothing.');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('There is no mean of nothing.');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A measured value, such as seconds, at a size, such as voxels. */
export interface Point {
  readonly size: number;
  readonly value: number;
}

/**
 * The exponent k of value = c size^k: the slope of the least-squares line through the logarithms.
 * Throws with fewer than two points, or where a size or value is not above 0.
 */
export function exponent(points: readonly Point[]): number {
  if (points.length < 2) throw new RangeError('An exponent needs two points.');
  if (points.some(({ size, value }) => !(size > 0 && value > 0)))
    throw new RangeError('A logarithm needs numbers above 0.');
  const xs = points.map(({ size }) => Math.log(size));
  const ys = points.map(({ value }) => Math.log(value));
  const [x, y] = [mean(xs), mean(ys)];
  const covariance = mean(xs.map((_, i) => (xs[i] - x) * (ys[i] - y)));
  return covariance / mean(xs.map((value) => (value - x) ** 2));
}

/** The points of the larger sizes: half of them, and the one in the middle. */
export function upperHalf(points: readonly Point[]): readonly Point[] {
  const sorted = points.toSorted((a, b) => a.size - b.size);
  return sorted.slice(Math.floor(sorted.length / 2));
}
