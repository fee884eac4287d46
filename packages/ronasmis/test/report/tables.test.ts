import { describe, expect, it } from 'vitest';
import { caseTable, flatten, settingsTable } from '../../src/report/tables.ts';
import { reportContent } from './content.ts';

describe('flatten', () => {
  it('joins nested names by dots, and keeps lists of plain values together', () => {
    const value = { a: { b: 1, c: null }, list: [1, 2], pairs: [{ x: 1 }, { x: 2 }], text: 'word', empty: [] };
    expect(flatten('', value)).toEqual([
      ['a.b', '1'],
      ['a.c', 'none'],
      ['list', '1, 2'],
      ['pairs.0.x', '1'],
      ['pairs.1.x', '2'],
      ['text', 'word'],
      ['empty', ''],
    ]);
  });
});

it('the table of the settings has all that run.json says, escaped', () => {
  const { markup } = settingsTable(reportContent(1).run);
  expect(markup).toContain('<tr><td>settings.data_set</td><td>/data/Kid&lt;neys&gt;</td></tr>');
  expect(markup).toContain('<tr><td>network.channels</td><td>16, 32, 64, 128, 256</td></tr>');
});

it('the table of the cases has a dash where there is no Dice, and a name for each class', () => {
  const dice = { mean: 0.5, classes: { '1': 0.5, '9': 0.25 }, cases: { a: { '1': 0.5, '9': null }, b: { '1': 0.5 } } };
  const { markup } = caseTable(dice, { '1': 'Anterior' });
  expect(markup).toContain('<th>case</th><th class="number">Anterior</th><th class="number">label 9</th>');
  expect(markup).toContain('<tr><td>a</td><td class="number">50.00</td><td class="number">–</td></tr>');
  expect(markup).toContain('<tr><td>b</td><td class="number">50.00</td><td class="number">–</td></tr>');
});
