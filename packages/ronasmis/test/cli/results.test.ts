import { expect, it } from 'vitest';
import { architectureText, diceText } from '../../src/cli/results.ts';
import { ARCHITECTURE, MICRO_ARCHITECTURE, reportContent } from '../report/content.ts';

const { run } = reportContent(1);

it('an architecture is a table, a row a level, with what its decoder adds', () => {
  const [, ...rows] = architectureText(ARCHITECTURE, run.network).split('\n');
  expect(rows).toHaveLength(5);
  expect(rows[0]).toMatch(/^0 .*32x48x32 .* 16 .*dilation 1 · LeakyReLU .*dilation 1 · ReLU .* 0, 1$/);
  expect(rows[2]).toMatch(/^2 .*16x12x8 .* 64 .* 2x2x2 .* 0, 2, 4$/);
  expect(rows[3]).toMatch(/none$/);
  expect(rows[4]).toMatch(/^4 .* 2x1x1 .*LeakyReLU$/);
});

it('a cell stands below, a row a node, and its output', () => {
  const [, cell] = architectureText(MICRO_ARCHITECTURE, run.network).split('\n\n');
  expect(cell.split('\n')).toHaveLength(1 + MICRO_ARCHITECTURE.cell.length + 1);
  expect(cell.split('\n').at(-1)).toMatch(/^output/);
});

it('Dice are told by the names of labels and regions', () => {
  const dice = { mean: 0.5, classes: { '1': 0.25, whole: 0.75, '9': 1 }, cases: {} };
  const regions = [{ name: 'whole', values: [1, 2] }];
  expect(diceText(dice, { ...run, regions })).toBe('50.00 %  (Anterior 25.00, 9 100.00, whole 75.00)');
});
