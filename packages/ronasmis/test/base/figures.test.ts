import { expect, test } from 'vitest';
import { formatAxes, formatFigure } from '../../src/base/figures.ts';

test.each([
  [0, '0'],
  [12, '12'],
  [12_345, '12350'],
  [0.123_456, '0.1235'],
  [1.5, '1.5'],
  [-99_999, '-100000'],
  [3e38, '3e+38'],
  [1e9, '1e+9'],
])('%d is written %s', (value, text) => {
  expect(formatFigure(value)).toBe(text);
});

test('axes are written x first', () => {
  expect(formatAxes([2.5, 0.9, 0.8])).toBe('0.8 x 0.9 x 2.5');
});
