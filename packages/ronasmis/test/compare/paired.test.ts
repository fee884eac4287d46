import { expect, it } from 'vitest';
import { type Contest, compareWith } from '../../src/compare/paired.ts';

/** A contestant whose runs have these Dice in the cases a, b, c and d. */
const contest = (name: string, runs: Readonly<Record<string, readonly number[]>>): Contest => ({
  name,
  runs: new Map(
    Object.entries(runs).map(([key, dice]) => [
      key,
      {
        worth: dice.reduce((sum, value) => sum + value, 0) / dice.length,
        cases: Object.fromEntries(dice.map((value, i) => ['abcd'[i], { 1: value }])),
      },
    ]),
  ),
});

const one = contest('one', { 1: [0.9, 0.8, 0.7, 0.8], 2: [0.9, 0.9, 0.8, 0.6] });

it('means differences by run, with their interval, and tests the cases', () => {
  const other = contest('other', { 1: [0.8, 0.7, 0.6, 0.7], 2: [0.6, 0.6, 0.6, 0.6] });
  const [comparison] = compareWith(one, [other]);
  // By run 0.1 and 0.2; Student's t of one degree of freedom at 97.5 % is 12.7062, the standard error 0.05.
  expect(comparison.difference).toBeCloseTo(0.15, 12);
  expect(comparison.interval?.low).toBeCloseTo(0.15 - 12.7062 * 0.05, 4);
  // Four differences of one sign: 2 of the 16 assignments of signs are as one-sided.
  expect(comparison.p).toBeCloseTo(2 / 16, 12);
  expect(comparison).toMatchObject({ other: 'other', p_holm: comparison.p });
});

it('corrects for the number of comparisons', () => {
  const worse = contest('worse', { 1: [0.1, 0.1, 0.1, 0.1], 2: [0.1, 0.1, 0.1, 0.1] });
  const mixed = contest('mixed', { 1: [0.9, 0.8, 0.7, 0.8], 2: [0.9, 0.9, 0.8, 0.5] });
  const found = compareWith(one, [worse, mixed]);
  expect(found.map(({ p }) => p)).toEqual([0.125, 1]);
  expect(found.map(({ p_holm }) => p_holm)).toEqual([0.25, 1]);
});

it('compares what both have, and nothing where they have no run in common', () => {
  const [comparison, ...more] = compareWith(one, [
    contest('half', { 2: [0.8, 0.8, 0.7, 0.5], 3: [0, 0, 0, 0] }),
    contest('none', { 7: [0.5] }),
  ]);
  expect(more).toEqual([]);
  expect(comparison.difference).toBeCloseTo(0.1, 12);
  expect(comparison.interval).toBeNull();
});

it('leaves out cases in which there is nothing', () => {
  const empty: Contest = {
    name: 'empty',
    runs: new Map([['1', { worth: 0.5, cases: { a: { 1: 0.5 }, b: { 1: null }, c: { 1: null }, d: { 1: null } } }]]),
  };
  // One difference is left, and either sign is as likely.
  expect(compareWith(one, [empty])[0].p).toBe(1);
});
