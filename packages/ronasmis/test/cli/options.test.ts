import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { integerBetween, parseBytes, parseDuration, parsePositive, requireFold } from '../../src/cli/options.ts';

describe('parseBytes', () => {
  it('reads sizes with their unit', () => {
    expect(['500MB', '1.5GiB', '8 GiB', '64MiB', '2KB'].map(parseBytes)).toEqual([
      5e8,
      1.5 * 2 ** 30,
      2 ** 33,
      2 ** 26,
      2000,
    ]);
  });

  it.each(['', '8', '8G', 'GiB', '0GiB', '-1GiB', '1TiBs', '8gib'])('refuses %j, with examples', (text) => {
    expect(() => parseBytes(text)).toThrow(/number and its unit, such as 8GiB/);
  });
});

describe('parseDuration', () => {
  it('reads seconds, minutes, hours and days', () => {
    expect(['90s', '15m', '1.5h', '2d'].map(parseDuration)).toEqual([90, 900, 5400, 172_800]);
  });

  it.each(['', '15', 'm', '0s', '-1m', '1e3s', '5 m', '1h30m', '15min'])('refuses "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow(/number and its unit/);
  });
});

it('numbers are read whole or not at all', () => {
  expect(integerBetween(0, 9)('7')).toBe(7);
  for (const text of ['', '10', '-1', '1.0', '0x1', ' 1']) expect(() => integerBetween(0, 9)(text)).toThrow(/0 to 9/);
  expect(parsePositive('0.5')).toBe(0.5);
  for (const text of ['', '0', '-1', 'Infinity', 'one', ' 1']) expect(() => parsePositive(text)).toThrow(/above 0/);
});

it('a fold that is none is refused, with those that there are', () => {
  requireFold({ folds: 3, fold: 2 });
  expect(() => requireFold({ folds: 3, fold: 3 })).toThrow(UserError);
  expect(() => requireFold({ folds: 3, fold: 3 })).toThrow('--fold 3 is none of the 3 folds: take 0 to 2.');
});
