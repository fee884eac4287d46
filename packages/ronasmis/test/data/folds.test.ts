import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitCases, splitLabelled, unlabelledFolds } from '../../src/data/folds.ts';

const names = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `case_${String(i).padStart(4, '0')}`);
const testIndices = (count: number, folds: number, fold: number): number[] =>
  splitCases(names(count), { folds, fold }).test.map((name) => Number(name.slice(5)));

// From scikit-learn 1.9: KFold(folds, shuffle=True, random_state=12345).split(numpy.arange(count)), the test indices.
describe("scikit-learn's shuffled KFold", () => {
  test.each([
    [
      7,
      3,
      [
        [3, 4, 6],
        [0, 1],
        [2, 5],
      ],
    ],
    [
      10,
      5,
      [
        [0, 7],
        [3, 9],
        [4, 6],
        [1, 8],
        [2, 5],
      ],
    ],
    [
      40,
      5,
      [
        [2, 3, 5, 19, 21, 25, 28, 32],
        [0, 4, 8, 12, 15, 30, 33, 35],
        [6, 7, 10, 13, 17, 20, 24, 26],
        [9, 11, 16, 18, 22, 23, 27, 31],
        [1, 14, 29, 34, 36, 37, 38, 39],
      ],
    ],
  ])('%i cases, %i folds', (count, folds, expected) => {
    expect(expected.map((_, fold) => testIndices(count, folds, fold))).toEqual(expected);
  });

  // Of large splits the sums of (place + 1) * index, which any exchanged index changes.
  test.each([
    [208, 5, [129079, 124713, 120143, 113427, 119655]],
    [260, 5, [235469, 237592, 234430, 235378, 240596]],
    [1000, 4, [20480516, 21781188, 21434608, 19727919]],
  ])('%i cases, %i folds', (count, folds, sums) => {
    const checksum = (fold: number) =>
      testIndices(count, folds, fold).reduce((sum, value, i) => sum + (i + 1) * value, 0);
    expect(sums.map((_, fold) => checksum(fold))).toEqual(sums);
  });
});

test('every case is in one part, the folds cover all, and the order of the names does not matter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 10 }), fc.integer({ min: 10, max: 200 }), (folds, count) => {
      const splits = Array.from({ length: folds }, (_, fold) => splitCases(names(count), { folds, fold }));
      expect(splits.flatMap(({ test }) => test).sort()).toEqual(names(count));
      for (const [fold, split] of splits.entries()) {
        expect([...split.training, ...split.validation, ...split.test].sort()).toEqual(names(count));
        expect(split.training.length).toBeGreaterThan(0);
        expect(split.validation.length).toBeGreaterThan(0);
        expect(split.validation.length).toBeLessThanOrEqual(10);
        expect(splitCases(names(count).reverse(), { folds, fold })).toEqual(split);
      }
    }),
    { numRuns: 30 },
  );
});

test('about a fifth of the cases outside the test part judge the children', () => {
  expect(splitCases(names(40), { folds: 5, fold: 0 }).validation).toHaveLength(6);
  expect(splitCases(names(208), { folds: 5, fold: 0 }).validation).toHaveLength(10);
  expect(splitCases(names(3), { folds: 3, fold: 0 }).validation).toHaveLength(1);
});

test('cases in which nothing is labelled are spread over training and validation alike', () => {
  const healthy = fc.tuple(
    fc.integer({ min: 10, max: 120 }),
    fc.array(fc.boolean(), { minLength: 120, maxLength: 120 }),
  );
  fc.assert(
    fc.property(healthy, fc.integer({ min: 2, max: 5 }), ([count, chance], folds) => {
      const empty = new Set(names(count).filter((_, i) => chance[i]));
      const plain = splitCases(names(count), { folds, fold: 0 });
      const split = splitCases(names(count), { folds, fold: 0, empty });
      expect(split.test).toEqual(plain.test);
      expect(split.validation).toHaveLength(plain.validation.length);
      expect([...split.training, ...split.validation].sort()).toEqual([...plain.training, ...plain.validation].sort());
      const others = [...plain.training, ...plain.validation];
      const labelled = others.filter((name) => !empty.has(name)).length;
      const judging = split.validation.filter((name) => !empty.has(name)).length;
      const share = (plain.validation.length * labelled) / others.length;
      if (labelled > 0) expect(judging).toBeGreaterThanOrEqual(1);
      expect(Math.abs(judging - share)).toBeLessThanOrEqual(1);
      if (empty.size === 0) expect(split).toEqual(plain);
    }),
  );
  expect(splitCases(names(40), { folds: 5, fold: 0, empty: new Set() })).toEqual(
    splitCases(names(40), { folds: 5, fold: 0 }),
  );
});

test('a fold of which a part has nothing labelled is refused, with one that works', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const parts = [0, 1, 2].map((fold) => splitCases(names, { folds: 3, fold }).test);
  const [first, second, third] = parts;
  const split = (fold: number, empty: readonly string[]) =>
    splitLabelled(names, { folds: 3, fold, empty: new Set(empty) });
  expect(split(0, [])).toEqual(splitCases(names, { folds: 3, fold: 0 }));
  expect(split(1, first).test).toEqual(second);
  expect(() => split(0, first)).toThrow(
    `--fold 0: nothing is labelled in any of its test cases (${first.join(', ')}). Take --fold 1, or add cases in which something is.`,
  );
  // What is left for validation leaves nothing for training.
  const one = [...first, third[0]];
  expect(unlabelledFolds(names, { folds: 3, empty: new Set(one) })).toEqual([
    { fold: 0, parts: ['test'] },
    { fold: 1, parts: ['training'] },
  ]);
  expect(() => split(1, one)).toThrow(
    /--fold 1: nothing is labelled in any of its training cases \(.*Take --fold 2, or/,
  );
  const most = [...first, ...second];
  expect(() => split(2, most)).toThrow(
    /^--fold 2: nothing is labelled in any of its training cases \(.*\)\. No fold is better: add cases in/,
  );
  expect(unlabelledFolds(names, { folds: 3, empty: new Set(most) })).toEqual([
    { fold: 0, parts: ['test'] },
    { fold: 1, parts: ['test'] },
    { fold: 2, parts: ['training', 'validation'] },
  ]);
});

test('what does not fit is said', () => {
  expect(() => splitCases(names(4), { folds: 5, fold: 0 })).toThrow('The data set has 4 cases, too few for 5 folds');
  expect(() => splitCases(names(9), { folds: 5, fold: 5 })).toThrow(
    '--fold 5: with --folds 5, give a number from 0 to 4.',
  );
  expect(() => splitCases(names(9), { folds: 1, fold: 0 })).toThrow('--folds 1: at least 2 folds are needed.');
});
