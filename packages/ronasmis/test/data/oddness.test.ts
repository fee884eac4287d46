import fc from 'fast-check';
import { expect, test } from 'vitest';
import { median, oddAlongAxes, oddness } from '../../src/data/oddness.ts';

test('a value that is far from the median is odd, unless values differ as much anyway', () => {
  const alike = [1, 1.01, 0.99, 1, 1.02, 0.98];
  expect(oddness([...alike, 4], 3)).toEqual([0, 0, 0, 0, 0, 0, Math.log(4)]);
  expect(oddness([...alike, 2.9], 3)).toEqual(Array(7).fill(0));
  expect(oddness([1, 2, 4, 8, 16, 32, 64], 3)).toEqual(Array(7).fill(0));
  expect(oddness([...alike, 0], 3)).toEqual(Array(7).fill(0));
});

test('and it does not matter in what unit they are', () => {
  const value = fc.double({ min: 0.1, max: 100, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 9 }), (values) => {
      const inOthers = oddness(
        values.map((one) => one * 1024),
        3,
      );
      oddness(values, 3).forEach((odd, i) => {
        expect(inOthers[i]).toBeCloseTo(odd, 9);
      });
    }),
  );
});

test('of three axes, the farthest counts', () => {
  const items = [1, 1, 1, 9].map((last, i) => ({ name: i, spacing: [1, i === 3 ? 5 : 1, last] }));
  const { cases, medians } = oddAlongAxes(items, ({ spacing }) => spacing, 3);
  expect(medians).toEqual([1, 1, 1]);
  expect(cases).toEqual([{ name: 3, spacing: [1, 5, 9], distance: Math.log(9) }]);
});

test('the median of an even number is between the two in the middle', () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
});
