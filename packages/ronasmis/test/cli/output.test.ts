import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integerBetween, parseBytes, parseDuration, parsePositive } from '../../src/cli/options.ts';
import { sparkline, table } from '../../src/cli/output.ts';
import { startLine } from '../end-to-end/command.ts';

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

describe('sparkline', () => {
  it('goes from the smallest to the largest value', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([3, 3])).toBe('▁▁');
    expect(sparkline([])).toBe('');
  });

  it('averages a long row down to its width', () => {
    expect(sparkline([0, 0, 7, 7], 2)).toBe('▁█');
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 300 }), (values) => {
        expect(sparkline(values)).toMatch(new RegExp(`^[▁-█]{${Math.min(60, values.length)}}$`));
      }),
    );
  });
});

it('table lines up its columns', () => {
  expect(
    table(
      ['case', 'Dice'],
      [
        ['a', '1'],
        ['long', '90.25'],
      ],
    ).split('\n'),
  ).toEqual(['case    Dice', 'a          1', 'long   90.25']);
});

describe.skipIf(!existsSync('/dev/full'))('a disk that is full', () => {
  const program = new URL('../../bin/ronasmis.mjs', import.meta.url).pathname;
  const typed = (line: string) =>
    startLine(`'${process.execPath}' '${program}' ${line}`, import.meta.dirname, process.env).ended;

  it('for what is printed ends the program with a sentence', async () => {
    for (const line of ['--help > /dev/full', 'doctor --json > /dev/full'])
      expect(await typed(line)).toMatchObject({
        code: 2,
        stderr: "error: standard output can't be written: the disk is full. Free some space.\n",
      });
  });

  it('for what is said of the progress ends nothing, and neither does a reader that has gone', async () => {
    expect(await typed('show nowhere 2> /dev/full')).toMatchObject({ code: 2, stdout: '' });
    expect(await typed('--help | head -n 1')).toMatchObject({ code: 0, stderr: '' });
  });
});
