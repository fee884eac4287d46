import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { drawIntensities } from '../../src/batches/draw-intensities.ts';
import type { IntensityChange } from '../../src/batches/intensities.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';

describe("the intensities of nnU-Net's recipe", () => {
  const count = 10_000;
  const random = createRandom(3);
  /** Of patches with two channels, whose slices may be mixed or not. */
  const [all, flat] = [false, true].map((inPlane) =>
    Array.from({ length: count }, () => drawIntensities(random, 2, inPlane, nnunetRecipe.augmentation)),
  );
  const changesOf = (kind: IntensityChange['kind'], drawn = all) =>
    drawn.flatMap((channels) => {
      const changes = channels.map((ofChannel) => ofChannel.filter((change) => change.kind === kind));
      return changes.flat().length > 0 ? [changes] : [];
    });
  /** Within four standard errors. */
  const expectShare = (found: number, of: number, share: number): void => {
    expect(Math.abs(found / of - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / of));
  };

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
    for (const changes of all.flat()) {
      const places = changes.map(({ kind }) => order.indexOf(kind));
      expect(places).toEqual(places.toSorted((left, right) => left - right));
    }
  });
});
