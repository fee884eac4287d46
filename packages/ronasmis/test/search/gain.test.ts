import { describe, expect, it } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { gainOver } from '../../src/search/gain.ts';
import { macroSpace } from '../../src/space/macro.ts';

const { base } = macroSpace([24, 160, 160], networkDimensions(1, 2, 1));
const found = {
  ...base,
  encoder: base.encoder.map((level) => ({ ...level, dilation: 2 as const })),
  decoder: base.decoder.map((level) => ({ ...level, skips: [] })),
};
const worth = (reward: number) => ({ reward, scores: {}, cleaned: [] });
const ofFound = { architecture: found, ...worth(0.8) };
const ofBase = { architecture: base, ...worth(0.75) };

describe('what a search has gained', () => {
  it('over the base child, and by each kind of choice', async () => {
    const evaluated: unknown[] = [];
    const gain = await gainOver({ architecture: base }, ofFound, [ofBase], async ({ architecture }) => {
      evaluated.push(architecture);
      return worth(evaluated.length === 1 ? 0.79 : 0.81);
    });
    expect(gain).toEqual({
      found: 0.8,
      base: 0.75,
      differences: [
        { what: expect.stringMatching(/^dilation 2 at encoder level 0, /), without: 0.79 },
        { what: expect.stringMatching(/^skips from no level into level 0, /), without: 0.81 },
      ],
    });
    // What is known already is not evaluated again.
    expect(evaluated).toEqual([
      { ...found, encoder: base.encoder },
      { ...found, decoder: base.decoder },
    ]);
  });

  it('nothing, where it has found the base child', async () => {
    const never = () => Promise.reject(new Error('evaluated'));
    expect(await gainOver({ architecture: base }, ofBase, [ofBase], never)).toEqual({
      found: 0.75,
      base: 0.75,
      differences: [],
    });
  });

  it('is not told where time is short', async () => {
    const noTime = () => Promise.resolve(undefined);
    expect(await gainOver({ architecture: base }, ofFound, [], noTime)).toBeUndefined();
    const told = await gainOver({ architecture: base }, ofFound, [ofBase], noTime);
    expect(told?.differences.map(({ without }) => without)).toEqual([null, null]);
  });
});
