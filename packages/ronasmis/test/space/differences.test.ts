import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChildArchitecture, MacroArchitecture } from '../../src/architecture/architecture.ts';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { createRandom } from '../../src/base/random.ts';
import { drawChild } from '../../src/controller/draw.ts';
import { differencesFrom, kindsOfDifferences } from '../../src/space/differences.ts';
import { macroSpace } from '../../src/space/macro.ts';
import { microSpace } from '../../src/space/micro.ts';

const space = macroSpace([24, 160, 160], networkDimensions(1, 2, 1));
const { base } = space;

const level = (
  child: MacroArchitecture,
  part: 'encoder' | 'decoder',
  at: number,
  change: object,
): MacroArchitecture => ({
  ...child,
  [part]: child[part].map((one, index) => (index === at ? { ...one, ...change } : one)),
});

describe('in what a child differs from the base child', () => {
  it('in nothing, where it is the base child, on whatever patch', () => {
    expect(differencesFrom(base, base)).toEqual([]);
    expect(differencesFrom(base, { ...base, patch: { depth: 8, height: 64, width: 64 } })).toEqual([]);
  });

  it('is said in words', () => {
    const dilated = level(level(base, 'encoder', 2, { dilation: 3 }), 'decoder', 0, { dilation: 2 });
    const active = level(dilated, 'encoder', 0, { activation: 'elu' });
    const skipping = level(level(active, 'decoder', 1, { skips: [0, 1, 3] }), 'decoder', 3, { skips: [] });
    const child = level(skipping, 'encoder', 1, { pool: { depth: 2, plane: 1 } });
    expect(differencesFrom(base, child).map(({ what }) => what)).toEqual([
      'pooling the depth by 2 before level 1 and the plane by 1 before level 1',
      'dilation 3 at encoder level 2 and 2 at decoder level 0',
      'activation ELU at encoder level 0',
      'skips from 0, 1 and 3 into level 1 and from no level into level 3',
    ]);
  });

  it('one kind after the other taken back is the base child, on the child’s patch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const child = space.decode(drawChild(space, 1, createRandom(seed)));
        const differences = differencesFrom(base, child);
        expect(differences.length).toBeLessThanOrEqual(kindsOfDifferences);
        const backToBase = differences.reduce<ChildArchitecture>(
          (rest) => differencesFrom(base, rest)[0].without,
          child,
        );
        expect(backToBase).toEqual({ ...base, patch: child.patch });
        for (const { without } of differences)
          expect(differencesFrom(base, without)).toHaveLength(differences.length - 1);
      }),
    );
  });

  it('a coarse network beside it is the first, and stays where others are taken back', () => {
    const coarse = { downsampling: [1, 2, 2], network: base } as const;
    const child = { ...level(base, 'encoder', 0, { activation: 'elu' }), coarse };
    expect(differencesFrom(base, child)).toEqual([
      {
        what: 'what half the resolution had come to, beside it',
        without: level(base, 'encoder', 0, { activation: 'elu' }),
      },
      { what: 'activation ELU at encoder level 0', without: { ...base, coarse } },
    ]);
  });

  it('a cell is one difference', () => {
    const micro = microSpace([24, 160, 160], networkDimensions(1, 2, 1));
    const child = micro.decode(drawChild(micro, 0, createRandom(1)));
    expect(differencesFrom(micro.base, micro.base)).toEqual([]);
    expect(differencesFrom(micro.base, child)).toEqual([{ what: 'another cell', without: micro.base }]);
  });
});
