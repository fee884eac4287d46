import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sparkline, table } from '../../src/cli/output.ts';
import { startLine } from '../end-to-end/command.ts';

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
