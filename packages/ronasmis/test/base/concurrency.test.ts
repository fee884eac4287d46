import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mapConcurrently } from '../../src/base/concurrency.ts';

const works = fc.array(fc.record({ milliseconds: fc.nat(3), fails: fc.boolean() }), { maxLength: 6 });

it('gives the results in order, or the error of the first item that fails, with no work left under way', async () => {
  await fc.assert(
    fc.asyncProperty(works, fc.integer({ min: 1, max: 3 }), async (items, atOnce) => {
      let underWay = 0;
      let most = 0;
      const outcome = await mapConcurrently(
        [...items.entries()],
        async ([index, { milliseconds, fails }]) => {
          most = Math.max(most, ++underWay);
          await sleep(milliseconds);
          underWay -= 1;
          if (fails) throw new Error(`item ${index}`);
          return index;
        },
        atOnce,
      ).catch(String);
      const firstToFail = items.findIndex(({ fails }) => fails);
      expect(outcome).toEqual(firstToFail < 0 ? [...items.keys()] : `Error: item ${firstToFail}`);
      expect(underWay).toBe(0);
      expect(most).toBeLessThanOrEqual(atOnce);
    }),
  );
});
