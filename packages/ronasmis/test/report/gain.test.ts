import { expect, it } from 'vitest';
import { gainText, worths } from '../../src/report/gain.ts';
import { gain } from './content.ts';

it('says what a search has gained, and by what', () => {
  expect(gainText(gain)).toBe(
    'What the search found has a validation Dice of 81.20 %, the base network that it began from 80.00 %: +1.20 points.',
  );
  expect(worths(gain)).toEqual([
    ['dilation 2 at encoder level 0', '+0.60'],
    ['skips from no level into level 1', '–'],
  ]);
});

it('says so where what it found is the base network', () => {
  const text = gainText({ found: 0.8, base: 0.8, differences: [] });
  expect(text).toMatch(/^What the search found is the base network that it began from \(validation Dice 80\.00 %\)/);
});
