import { describe, expect, test } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { type Augmentation, drawAugmentation, turningMatrix } from '../../src/batches/augmentation.ts';
import type { IntensityChange } from '../../src/batches/intensities.ts';
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
  const changesOf = (kind: IntensityChange['kind'], drawn = all) =>
    drawn.flatMap(({ intensities = [] }) => {
      const changes = intensities.map((ofChannel) => ofChannel.filter((change) => change.kind === kind));
      return changes.flat().length > 0 ? [changes] : [];
    });
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

  test.each([
    ['noise', 0.1, 1],
    ['blur', 0.2, 0.5],
    ['brightness', 0.15, 1],
    ['contrast', 0.15, 1],
    ['low_resolution', 0.25, 0.5],
    ['inverted_gamma', 0.1, 1],
    ['gamma', 0.3, 1],
  ] as const)(
    'has %s in a share of %f of the patches, and in one of %f of their channels',
    (kind, ofPatches, ofChannels) => {
      const patches = changesOf(kind);
      // A patch is not told from others where neither of its two channels is changed.
      expectShare(patches.length, count, ofPatches * (1 - (1 - ofChannels) ** 2));
      const both = patches.filter((channels) => channels.every((changes) => changes.length === 1));
      expectShare(both.length, count, ofPatches * ofChannels ** 2);
    },
  );

  test('draws all of it within its ranges, for each channel but the deviation of noise, and flat patches keep their slices', () => {
    const within = (values: readonly number[], low: number, high: number): void => {
      expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
      expect(Math.max(...values)).toBeLessThanOrEqual(high);
      // Near both ends, as what is uniform is.
      expect(Math.min(...values) - low).toBeLessThan(0.02 * (high - low));
      expect(high - Math.max(...values)).toBeLessThan(0.02 * (high - low));
    };
    const numbers = (kind: IntensityChange['kind'], drawn = all) =>
      changesOf(kind, drawn)
        .flat(2)
        .map((change) => {
          if (change.kind === 'noise') return [change.deviation];
          if (change.kind === 'blur') return change.deviations;
          if (change.kind === 'low_resolution') return change.scale;
          return [change.kind === 'gamma' || change.kind === 'inverted_gamma' ? change.exponent : change.factor];
        });
    within(numbers('noise').flat(), 0, 0.1);
    within(numbers('blur').flat(), 0.5, 1);
    within(numbers('brightness').flat(), 0.75, 1.25);
    within(numbers('contrast').flat(), 0.75, 1.25);
    within(numbers('low_resolution').flat(), 0.5, 1);
    for (const kind of ['gamma', 'inverted_gamma'] as const) {
      within(numbers(kind).flat(), 0.7, 1.5);
      expectShare(
        numbers(kind)
          .flat()
          .filter((exponent) => exponent < 1).length,
        numbers(kind).length,
        0.5,
      );
    }
    for (const [depth, height, width] of numbers('blur')) expect(new Set([depth, height, width]).size).toBe(3);
    for (const [depth, height, width] of numbers('low_resolution')) expect([height, width]).toEqual([depth, depth]);
    for (const [depth, height, width] of numbers('low_resolution', flat)) expect([depth, width]).toEqual([1, height]);
    const [noises, brightnesses] = [changesOf('noise'), changesOf('brightness')];
    for (const [[first], [second]] of noises) {
      expect(first).toEqual({ ...second, seed: expect.any(Number) });
      expect(first).not.toEqual(second);
    }
    for (const [[first], [second]] of brightnesses) expect(first).not.toEqual(second);
  });

  test('changes intensities in the order of its transforms', () => {
    const order = ['noise', 'blur', 'brightness', 'contrast', 'low_resolution', 'inverted_gamma', 'gamma'];
    for (const changes of all.flatMap(({ intensities }) => intensities ?? [])) {
      const places = changes.map(({ kind }) => order.indexOf(kind));
      expect(places).toEqual(places.toSorted((left, right) => left - right));
    }
  });
});
