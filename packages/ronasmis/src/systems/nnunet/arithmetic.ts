/** Their product, in their order. */
export const product = (values: readonly number[]): number => values.reduce((total, value) => total * value, 1);

/** The nearest whole number; of two as near the even one, as Python's `round` has it. */
export function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** One value an axis of each of two lists, put together. */
export const axiswise = (
  left: readonly number[],
  right: readonly number[],
  of: (one: number, other: number) => number,
): readonly number[] => left.map((value, axis) => of(value, right[axis]));
