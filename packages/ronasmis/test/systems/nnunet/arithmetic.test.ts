import { expect, test } from 'vitest';
import { product, roundHalfToEven } from '../../../src/systems/nnunet/arithmetic.ts';

test('halves are rounded to the even number, as Python has it', () => {
  // Python: [round(x) for x in [0.5, 1.5, 2.5, 2.4999, 2.5001, 3, -0.5]]
  expect([0.5, 1.5, 2.5, 2.4999, 2.5001, 3].map(roundHalfToEven)).toEqual([0, 2, 2, 2, 3, 3]);
});

test('a product of nothing is 1', () => {
  expect([product([]), product([2, 3, 4])]).toEqual([1, 24]);
});
