import { describe, expect, it } from 'vitest';
import { flatten } from '../../src/report/tables.ts';

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
