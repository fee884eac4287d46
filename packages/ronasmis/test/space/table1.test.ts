import { describe, expect, test } from 'vitest';
import { decisions, placeOf, table1 } from '../../src/space/table1.ts';

describe("Table 1's decisions", () => {
  test('two patch sizes, two strides for each of four poolings, dilation and activation of nine levels, 16 skips', () => {
    const counts = Object.keys(table1).map((name) => [name, decisions.filter(({ choice }) => choice === name).length]);
    expect(Object.fromEntries(counts)).toEqual({
      patch_depth: 1,
      patch_plane: 1,
      pool_depth: 4,
      pool_plane: 4,
      dilation: 9,
      activation: 9,
      skip: 16,
    });
    expect(decisions).toHaveLength(44);
  });

  test('go down the encoder and up the decoder; within a level, what others depend on comes first', () => {
    const named = decisions.map(({ choice, section, from = '' }) =>
      section.part === 'network' ? choice : `${section.part} ${section.level} ${choice} ${from}`.trim(),
    );
    expect(named.slice(0, 8)).toEqual([
      'patch_depth',
      'patch_plane',
      'encoder 0 dilation',
      'encoder 0 activation',
      'encoder 1 pool_depth',
      'encoder 1 pool_plane',
      'encoder 1 dilation',
      'encoder 1 activation',
    ]);
    expect(named.slice(20, 27)).toEqual([
      'decoder 3 dilation',
      'decoder 3 activation',
      'decoder 3 skip 0',
      'decoder 3 skip 1',
      'decoder 3 skip 2',
      'decoder 3 skip 3',
      'decoder 2 dilation',
    ]);
    expect(named.at(-1)).toBe('decoder 0 skip 3');
  });

  test('have as many options as the table says', () => {
    for (const { choice, options } of decisions) expect(options).toBe(table1[choice].options.length);
    expect(decisions.slice(0, 6).map(({ options }) => options)).toEqual([5, 5, 3, 3, 2, 2]);
  });

  test('are found by their place, and those that do not apply in a section are not', () => {
    decisions.forEach(({ choice, section, from }, at) => {
      expect(placeOf(choice, section, from)).toBe(at);
    });
    expect(() => placeOf('pool_depth', { part: 'encoder', level: 0 })).toThrow(/no choice of pool_depth/);
    expect(() => placeOf('skip', { part: 'decoder', level: 0 }, 4)).toThrow(/no choice of skip/);
  });
});
