import { expect, it } from 'vitest';
import { formatBytes, formatCount, formatDice, formatSeconds, plural } from '../../src/report/format.ts';

it('writes numbers as people say them', () => {
  expect([3.21, 59.6, 185, 4800, 97_200].map(formatSeconds)).toEqual([
    '3.2 s',
    '1 min 0 s',
    '3 min 5 s',
    '1 h 20 min',
    '1 d 3 h',
  ]);
  expect([300 * 2 ** 20, 3.25 * 2 ** 30].map(formatBytes)).toEqual(['300 MiB', '3.3 GiB']);
  expect([840, 12_345, 1_263_451].map(formatCount)).toEqual(['840', '12.3 k', '1.26 M']);
  expect([1, 2].map((count) => plural(count, 'case'))).toEqual(['1 case', '2 cases']);
  expect(formatDice(0.88124)).toBe('88.12');
});
