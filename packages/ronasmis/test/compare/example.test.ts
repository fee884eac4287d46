import { expect, it } from 'vitest';
import { typicalCase } from '../../src/compare/example.ts';
import { compareContent } from '../report/compare-content.ts';

it('the typical case is that at the median of the mean Dice of all systems, by the first seed of each', () => {
  const { record, results } = compareContent();
  // Means of three systems: a 0.85, b 0.75, c 0.65; the case with the higher Dice where two are in the middle.
  expect(typicalCase(record, results)).toEqual({
    name: 'b',
    dice: expect.closeTo(0.75, 12),
    runs: [
      { system: 'ours', run: 'ours-fold0-seed1', dice: expect.closeTo(0.8, 12) },
      { system: 'theirs', run: 'theirs-fold0-seed1', dice: expect.closeTo(0.7, 12) },
    ],
  });
});

it('is one that all systems have segmented, or none', () => {
  const { record, results } = compareContent();
  const theirs = record.runs['theirs-fold0-seed1'];
  if (theirs.state !== 'finished') throw new Error('It has finished.');
  const { a } = theirs.cases;
  const lacking = { ...record, runs: { ...record.runs, 'theirs-fold0-seed1': { ...theirs, cases: { a } } } };
  expect(typicalCase(lacking, results)?.name).toBe('a');
  expect(typicalCase({ ...record, runs: {} }, results)).toBeUndefined();
});
