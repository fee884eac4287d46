import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IGNORED_CLASS } from '../../src/data/description.ts';
import { foregroundOf } from '../../src/preparation/foreground.ts';

test('of each class all voxels, in their order, of the background and what is ignored none', () => {
  const values = fc.array(fc.constantFrom(0, 1, 2, 5, IGNORED_CLASS), { maxLength: 200 });
  fc.assert(
    fc.property(values, (values) => {
      const label = Uint8Array.from(values);
      const { foreground, classForeground } = foregroundOf(label);
      const of = (isWanted: (one: number) => boolean) => [...label.keys()].filter((at) => isWanted(label[at]));
      expect([...foreground]).toEqual(of((one) => one !== 0 && one !== IGNORED_CLASS));
      const largest = Math.max(-1, ...values.filter((one) => one !== 0 && one !== IGNORED_CLASS));
      expect(classForeground.map((voxels) => [...voxels])).toEqual(
        Array.from({ length: largest + 1 }, (_, index) => (index === 0 ? [] : of((one) => one === index))),
      );
    }),
  );
});

test('of a large class 10,000 at most, spread evenly, and of a small one beside it still all', () => {
  const label = new Uint8Array(100_000).fill(1);
  label[7] = 2;
  label[77_777] = 2;
  const { foreground, classForeground } = foregroundOf(label);
  expect(foreground).toHaveLength(10_000);
  expect(classForeground.map(({ length }) => length)).toEqual([0, 10_000, 2]);
  const [, large, small] = classForeground;
  expect([...small]).toEqual([7, 77_777]);
  expect(large.every((voxel) => label[voxel] === 1)).toBe(true);
  const gaps = large.slice(1).map((voxel, at) => voxel - large[at]);
  expect(new Set(gaps)).toEqual(new Set([10, 11]));
});
