import { describe, expect, test } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { type Augmentation, drawAugmentation, turningMatrix } from '../../src/batches/augmentation.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
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
    const changes = all.flatMap(({ intensities }) => intensities ?? []).flat();
    for (const kind of ['noise', 'brightness', 'contrast', 'gamma'] as const) {
      expectShare(changes.filter((change) => change.kind === kind).length, 2 * all.length, 0.15);
    }
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(['noise', 'brightness', 'contrast', 'gamma']));
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

test('the default recipe draws what it drew before a recipe could have more, so that searches of then are repeated', () => {
  const random = createRandom(1);
  for (const depth of [32, 8]) {
    const drawn = { channels: 2, spacing: [1, 1, 1], patch: [depth, 32, 32] } as const;
    for (let draw = 0; draw < 500; draw++) drawAugmentation(random, drawn, defaultRecipe.augmentation);
  }
  // Of the version without blur, low resolution and inverted gamma.
  expect(random.state()).toEqual([-2084914257, -1357563000, -202871740, 385640649]);
});

describe("what is drawn by nnU-Net's recipe", () => {
  const recipe = nnunetRecipe.augmentation;
  const count = 10_000;
  const random = createRandom(3);
  /** On a patch of thin slices, and on a flat one. */
  const [all, flat] = [
    [32, 32, 32],
    [10, 32, 32],
  ].map(([depth, height, width]) =>
    Array.from({ length: count }, () =>
      drawAugmentation(random, { channels: 2, spacing: [3.6, 1, 1], patch: [depth, height, width] }, recipe),
    ),
  );
  /** Within four standard errors. */
  const expectShare = (found: number, of: number, share: number): void => {
    expect(Math.abs(found / of - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / of));
  };

  test('rotates a fifth and scales a fifth of the patches, flat ones within the plane by any angle, in voxels', () => {
    for (const drawn of [all, flat]) {
      const matrices = drawn.flatMap(({ matrix }) => (matrix ? [matrix] : []));
      expectShare(matrices.length, count, 1 - 0.8 ** 2);
      const scales = matrices.map(([, [a, b, c]]) => Math.hypot(a, b, c));
      const scaled = scales.filter((scale) => Math.abs(scale - 1) > 1e-9);
      expectShare(scaled.length, count, 0.2);
      // Uniform from 0.7 to 1.4, of which 1 is no middle.
      expectShare(scaled.filter((scale) => scale < 1).length, scaled.length, 0.3 / 0.7);
      expect(Math.min(...scaled)).toBeCloseTo(0.7, 2);
      expect(Math.max(...scaled)).toBeCloseTo(1.4, 2);
      for (const { matrix, labels } of drawn) expect(labels).toBe(matrix && 'linear');
    }
    const inPlane = flat.flatMap(({ matrix }) => (matrix ? [matrix] : []));
    expect(new Set(inPlane.map(([toDepth]) => String(toDepth)))).toEqual(new Set(['1,0,0']));
    expectShare(inPlane.filter(([, [, cosine]]) => cosine < 0).length, count, 0.2 / 2);
    // In voxels a rotation keeps angles, of slices that are 3.6 times as thick as others are wide too.
    const matrix = all.flatMap(({ matrix }) => (matrix && Math.abs(matrix[0][1]) > 0.1 ? [matrix] : []))[0];
    expect(matrix[0].reduce((sum, value, at) => sum + value * matrix[1][at], 0)).toBeCloseTo(0, 12);
  });
});
