import { expect, it } from 'vitest';
import { diceOfIndices } from '../../../src/systems/nnunet-python/score.ts';

const labels = [0, 2, 5].map((value) => ({ value, name: `label ${value}` }));

it('class indices are compared with label values; what neither has is no score', () => {
  const scores = diceOfIndices([0, 1, 1, 0, 0], [0, 2, 0, 0, 0], { labels, regions: [] });
  expect(scores).toEqual({ 2: 2 / 3, 5: null });
});

it('what is to be ignored counts nowhere', () => {
  const scores = diceOfIndices([0, 1, 1, 2], [0, 2, 9, 9], { labels, regions: [], ignoredValue: 9 });
  expect(scores).toEqual({ 2: 1, 5: null });
});

it('regions are scored in place of labels', () => {
  const regions = [
    { name: 'whole', values: [2, 5] },
    { name: 'core', values: [5] },
  ];
  const scores = diceOfIndices([1, 2, 1, 0], [2, 2, 5, 5], { labels, regions });
  // whole: 3 predicted, 4 in the reference, 3 in both; core: 1, 2 and none.
  expect(scores).toEqual({ whole: 6 / 7, core: 0 });
});
