import { describe, expect, it } from 'vitest';
import { ratioRow, rowTable, seconds, timeRow } from '../src/row.ts';

describe('rows', () => {
  it('divide theirs by ours where at least a number is wanted, ours by theirs where at most', () => {
    const times = { ours: 2, theirs: 8 };
    expect(timeRow('a', 'b', times, { atLeast: 4 })).toEqual({
      name: 'a',
      against: 'b',
      ours_seconds: 2,
      theirs_seconds: 8,
      ratio: 4,
      goal: '>= 4',
      reached: true,
    });
    expect(timeRow('a', 'b', times, { atMost: 0.2 })).toMatchObject({ ratio: 0.25, goal: '<= 0.2', reached: false });
    expect(timeRow('a', 'b', times, { atLeast: 4.1 }).reached).toBe(false);
    expect(timeRow('a', 'b', times, { atMost: 0.25 }).reached).toBe(true);
  });

  it('are tabled with their units, their goal and whether it was reached', () => {
    const table = rowTable([
      timeRow('reading', 'nibabel', { ours: 0.0021, theirs: 0.0043 }, { atLeast: 1.5 }),
      ratioRow('exponent', 'linear', 1.234, { atMost: 1.1 }),
    ]).split('\n');
    expect(table[1].split(/ {2,}/)).toEqual(['reading', 'nibabel', '2.10 ms', '4.30 ms', '2.05', '>= 1.5', 'yes']);
    expect(table[2].split(/ {2,}/)).toEqual(['exponent', 'linear', '-', '-', '1.23', '<= 1.1', 'NO']);
  });
});

it.each([
  [1234.5, '1235 s'],
  [1, '1.00 s'],
  [0.0456, '45.6 ms'],
  [7.89e-4, '789 µs'],
  [9.87e-7, '987 ns'],
  [0, '0.00 ns'],
  [null, '-'],
])('%s seconds are written as %s', (value, text) => {
  expect(seconds(value)).toBe(text);
});
