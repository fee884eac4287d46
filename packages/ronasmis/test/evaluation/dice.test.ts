import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dicePerClass } from '../../src/evaluation/dice.ts';
import { referenceVolume, twoEllipsoids } from './masks.ts';

const labels = (length: number) => fc.array(fc.integer({ min: 0, max: 2 }), { minLength: length, maxLength: length });

describe('dicePerClass', () => {
  it('agrees with MONAI', () => {
    // MONAI 1.6.1, compute_dice on the same masks (float32): 0.6541176438331604 and 0.48148149251937866
    const dice = dicePerClass(twoEllipsoids(0), referenceVolume(), [1, 2]);
    expect(dice['1']).toBeCloseTo(0.6541176438331604, 6);
    expect(dice['2']).toBeCloseTo(0.48148149251937866, 6);
  });

  it('is null where a class is in neither volume, 0 where it is in one only', () => {
    expect(dicePerClass([0, 1, 0], [0, 0, 2], [1, 2, 3])).toEqual({ '1': 0, '2': 0, '3': null });
  });

  it("is MONAI's where nothing is there, and nnU-Net's where something was found in a healthy scan", () => {
    // MONAI 1.6.1, DiceMetric(include_background=False) on these: [nan, nan], [nan, nan], [0, nan] and [0.6666666865348816, 0]. The second
    // is [0, 1] with ignore_empty=False, and nnU-Net's 2 TP / (2 TP + FP + FN) is 0 and NaN: something was found that is not there.
    const nothing = [0, 0, 0, 0];
    const found = [0, 1, 1, 0];
    expect(dicePerClass(nothing, nothing, [1, 2])).toEqual({ '1': null, '2': null });
    expect(dicePerClass(found, nothing, [1, 2])).toEqual({ '1': 0, '2': null });
    expect(dicePerClass(nothing, found, [1, 2])).toEqual({ '1': 0, '2': null });
    expect(dicePerClass(found, [2, 1, 0, 0], [1, 2])).toEqual({ '1': 2 / 3, '2': 0 });
  });

  it('refuses volumes of different size', () => {
    expect(() => dicePerClass([0, 1], [0], [1])).toThrow(/2 voxels, reference has 1/);
  });

  it('is symmetric, 1 for equal volumes, and twice the overlap over the sum of sizes', () => {
    fc.assert(
      fc.property(labels(30), labels(30), (a, b) => {
        const dice = dicePerClass(a, b, [1, 2]);
        expect(dice).toEqual(dicePerClass(b, a, [1, 2]));
        expect(dicePerClass(a, a, [1, 2])['1']).toBe(a.includes(1) ? 1 : null);
        const sizes = a.filter((v) => v === 1).length + b.filter((v) => v === 1).length;
        const both = a.filter((v, i) => v === 1 && b[i] === 1).length;
        expect(dice['1']).toBe(sizes === 0 ? null : (2 * both) / sizes);
      }),
    );
  });
});
