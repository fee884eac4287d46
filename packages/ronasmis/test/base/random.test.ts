import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRandom, restoreRandom } from '../../src/base/random.ts';

test('a restored generator goes on with the same draws', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(50), (seed, skipped) => {
      const random = createRandom(seed);
      for (let i = 0; i < skipped; i++) random.uniform();
      const other = restoreRandom(JSON.parse(JSON.stringify(random.state())));
      for (let i = 0; i < 10; i++) expect(other.uniform()).toBe(random.uniform());
    }),
  );
});

test('uniform draws have the mean and variance of a uniform distribution', () => {
  const random = createRandom(3);
  const draws = Array.from({ length: 20_000 }, () => random.uniform());
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
  expect(mean).toBeCloseTo(1 / 2, 2);
  expect(variance).toBeCloseTo(1 / 12, 2);
});

test('integers cover their range evenly', () => {
  const random = createRandom(4);
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < 10_000; i++) counts[random.integer(5)]++;
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
  expect(random.integer(1)).toBe(0);
});

test('shuffling keeps every value and leaves the list alone', () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8];
  const shuffled = createRandom(5).shuffle(values);
  expect(shuffled).not.toEqual(values);
  expect(shuffled.sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test('neighbouring seeds begin differently', () => {
  const first = Array.from({ length: 100 }, (_, seed) => createRandom(seed).uniform());
  expect(new Set(first).size).toBe(100);
  expect(first.reduce((sum, value) => sum + value, 0) / 100).toBeCloseTo(0.5, 0);
});
