import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupBy } from '../../src/base/group-by.ts';

test('groups hold every item once, under its key and in order; keys come as their first items do', () => {
  const items = fc.array(fc.nat(20));
  fc.assert(
    fc.property(items, fc.nat(6), (values, rest) => {
      const indices = values.map((_, i) => i);
      const groups = groupBy(indices, (i) => values[i] % (rest + 1));
      for (const [key, group] of groups) {
        expect(group).toEqual(indices.filter((i) => values[i] % (rest + 1) === key));
      }
      expect([...groups.keys()]).toEqual([...new Set(values.map((value) => value % (rest + 1)))]);
    }),
  );
});

test('the index of an item may be its key', () => {
  const names = ['a', 'b', 'a'];
  expect([...groupBy([1, 2, 3], (_, i) => names[i])]).toEqual([
    ['a', [1, 3]],
    ['b', [2]],
  ]);
});
