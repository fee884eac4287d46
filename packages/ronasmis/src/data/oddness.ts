import { quantile } from '../base/statistics.ts';

/** A normal distribution has one value in a million beyond so many deviations. */
const deviations = 5;
/** Of a normal distribution, the deviation over the median absolute deviation. */
const deviationOverMad = 1.4826;

/**
 * How far those of the values are from their median, as a difference of logarithms, that are far from it: by more than `factor`, and by more than
 * five deviations of their logarithms, so that values that differ much anyway are not all odd. 0 for the others, and for values of 0.
 */
export function oddness(values: readonly number[], factor: number): readonly number[] {
  const positive = values.filter((value) => value > 0);
  const middle = median(positive);
  const distance = (value: number): number => Math.abs(Math.log(value / middle));
  const limit = Math.max(Math.log(factor), deviations * deviationOverMad * median(positive.map(distance)));
  return values.map((value) => (value > 0 && distance(value) > limit ? distance(value) : 0));
}

/** The middle one, or the mean of the two in the middle. */
export const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((left, right) => left - right),
    0.5,
  );

/** Items of which one of three axes is odd, with how far the farthest is, and the medians of the axes. */
export function oddAlongAxes<Item extends object>(
  items: readonly Item[],
  valuesOf: (item: Item) => readonly number[],
  factor: number,
) {
  const axes = [0, 1, 2].map((axis) => items.map((item) => valuesOf(item)[axis]));
  const odd = axes.map((values) => oddness(values, factor));
  const cases = items.map((item, i) => ({ ...item, distance: Math.max(...odd.map((axis) => axis[i])) }));
  return { cases: cases.filter(({ distance }) => distance > 0), medians: axes.map(median) };
}
