import { describe, expect, it } from 'vitest';
import { dicePerClass } from '../../src/evaluation/dice.ts';
import { scoreClasses, scoreLabelling } from '../../src/evaluation/scores.ts';
import { surfaceScores } from '../../src/evaluation/surface.ts';
import { referenceVolume, SHAPE, twoEllipsoids } from './masks.ts';

const grid = { shape: SHAPE, spacing: [3, 0.8, 1.2], toleranceMillimetres: 1 };

describe('scoreClasses', () => {
  it('gives each class, from its box alone, what the whole volumes give', () => {
    const [prediction, reference] = [twoEllipsoids(0), referenceVolume()];
    const scores = scoreClasses(prediction, reference, grid);
    expect([...scores.keys()].sort()).toEqual(['1', '2']);
    const dice = dicePerClass(prediction, reference, [1, 2]);
    for (const [label, score] of scores) {
      const mask = (labels: Uint8Array) => labels.map((value) => (value === Number(label) ? 1 : 0));
      const { hd95_mm, nsd } = surfaceScores(mask(prediction), mask(reference), grid);
      expect(score).toMatchObject({ dice: dice[label], hd95_mm, nsd });
      const count = (labels: Uint8Array) => mask(labels).reduce((sum, value) => sum + value, 0);
      expect(score.prediction_mm3).toBeCloseTo(count(prediction) * 3 * 0.8 * 1.2, 9);
      expect(score.reference_mm3).toBeCloseTo(count(reference) * 3 * 0.8 * 1.2, 9);
      const wrong = mask(prediction).filter((value, i) => value === 1 && reference[i] !== Number(label)).length;
      expect(score.false_positive_mm3).toBeCloseTo(wrong * 3 * 0.8 * 1.2, 9);
    }
  });

  it('leaves out what neither has, and has no distance where one is empty', () => {
    const [empty, one] = [new Uint8Array(8), Uint8Array.of(0, 3, 0, 0, 0, 0, 0, 0)];
    const small = { shape: [2, 2, 2], spacing: [1, 1, 2], toleranceMillimetres: 1 } as const;
    expect(scoreClasses(empty, empty, small).size).toBe(0);
    const sizes = { prediction_mm3: 2, reference_mm3: 0, false_positive_mm3: 2 };
    expect([...scoreClasses(one, empty, small)]).toEqual([['3', { dice: 0, hd95_mm: null, nsd: 0, ...sizes }]]);
  });

  it('refuses volumes of different sizes', () => {
    expect(() => scoreClasses(new Uint8Array(8), new Uint8Array(4), grid)).toThrow(/prediction has 8 voxels/);
  });
});

describe('scoreLabelling', () => {
  const lengths = { shape: [1, 1, 8], spacing: [1, 1, 1], toleranceMillimetres: 1 } as const;
  const prediction = Uint8Array.of(1, 1, 2, 2, 2, 0, 3, 1);
  const reference = Uint8Array.of(1, 2, 2, 2, 0, 0, 9, 9);
  const diceOf = (...how: Parameters<typeof scoreLabelling>) =>
    Object.fromEntries([...scoreLabelling(...how)].map(([name, { dice }]) => [name, dice]));

  it('is that of the classes where a data set has labels alone', () => {
    expect(diceOf(prediction, reference, {}, lengths)).toMatchObject({ 1: (2 * 1) / (3 + 1), 2: (2 * 2) / (3 + 3) });
  });

  it('scores nothing where the reference is ignored', () => {
    expect(diceOf(prediction, reference, { ignoredValue: 9 }, lengths)).toEqual({ 1: 2 / 3, 2: 2 / 3 });
  });

  it('scores regions by their names in place of labels', () => {
    const regions = [
      { name: 'whole', values: [1, 2, 3] },
      { name: 'core', values: [2] },
      { name: 'absent', values: [4] },
    ];
    // 5 of the 8 voxels are in the prediction and 4 in the reference, where nothing is ignored any more.
    expect(diceOf(prediction, reference, { regions, ignoredValue: 9 }, lengths)).toEqual({ whole: 8 / 9, core: 4 / 6 });
  });
});
