import { describe, expect, test } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { type Augmentation, drawAugmentation, turningMatrix } from '../../src/batches/augmentation.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { reference } from './reference.ts';

test.each(reference.turned)('the matrix of angles $angles and scales $scales is the one that SciPy gives', (turned) => {
  const found = turningMatrix(turned.angles, turned.scales, turned.spacing);
  found.forEach((row, i) => {
    row.forEach((value, j) => {
      expect(value).toBeCloseTo(turned.matrix[i][j], 12);
    });
  });
});

describe('what is drawn', () => {
  const draws = (spacing: Triple, patch: Triple, seed = 1) => {
    const random = createRandom(seed);
    return Array.from({ length: 2000 }, () =>
      drawAugmentation(random, { channels: 2, spacing, patch }, defaultRecipe.augmentation),
    );
  };
  const all = draws([1, 1, 1], [32, 32, 32]);
  /** Within five standard deviations of a binomial distribution. */
  const expectShare = (count: number, of: number, share: number): void => {
    expect(Math.abs(count - share * of)).toBeLessThan(5 * Math.sqrt(of * share * (1 - share)));
  };

  test('is nothing for many crops; a fifth is rotated, a fifth is scaled, a seventh of the channels changed in each way', () => {
    const matrices = all.flatMap(({ matrix }) => (matrix ? [matrix] : []));
    expectShare(matrices.length, all.length, 1 - 0.8 ** 2);
    const scaled = matrices.filter(([[a, b, c]]) => Math.abs(Math.hypot(a, b, c) - 1) > 1e-9);
    expectShare(scaled.length, all.length, 0.2);
    for (const [[a, b, c]] of scaled) {
      expect(Math.hypot(a, b, c)).toBeGreaterThan(0.7);
      expect(Math.hypot(a, b, c)).toBeLessThan(1.4);
    }
    const changes = all.flatMap(({ intensities }) => intensities ?? []);
    expectShare(changes.filter(({ noise }) => noise.deviation > 0).length, 2 * all.length, 0.15);
    for (const name of ['brightness', 'contrast', 'gamma'] as const) {
      expectShare(changes.filter((change) => change[name] !== 1).length, 2 * all.length, 0.15);
    }
  });

  test.each<[string, Triple, Triple]>([
    ['thick', [5, 1.2, 1.2], [32, 32, 32]],
    ['few', [1, 1, 1], [8, 64, 64]],
  ])('stays within the plane where slices are %s', (_, spacing, patch) => {
    const matrices = draws(spacing, patch).flatMap(({ matrix }) => (matrix ? [matrix] : []));
    // Three fifths are rotated, three fifths scaled.
    expectShare(matrices.length, 2000, 1 - 0.4 ** 2);
    for (const [toDepth, [fromHeight], [fromWidth]] of matrices) {
      expect(toDepth.map(Math.abs)).toEqual([1, 0, 0]);
      expect([fromHeight, fromWidth].map(Math.abs)).toEqual([0, 0]);
    }
    expect(all.some(({ matrix }) => matrix && Math.abs(matrix[0][1]) > 0.1)).toBe(true);
    // By any angle, half of them over 90 degrees; elsewhere by 30 degrees at most.
    const isTurnedOver = ({ matrix }: Augmentation): boolean => matrix !== undefined && matrix[1][1] < 0;
    expectShare(draws(spacing, patch).filter(isTurnedOver).length, 2000, 0.6 / 2);
    expect(all.some(isTurnedOver)).toBe(false);
  });

  test('depends on the seed alone', () => {
    expect(draws([1, 1, 1], [32, 32, 32])).toEqual(all);
    expect(draws([1, 1, 1], [32, 32, 32], 2)).not.toEqual(all);
  });
});
