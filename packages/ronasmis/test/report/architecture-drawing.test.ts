import { describe, expect, it } from 'vitest';
import { drawArchitecture } from '../../src/report/architecture-drawing.ts';
import { unet } from '../architecture/unet.ts';
import { ARCHITECTURE } from './content.ts';

const network = { channels: [16, 32, 64, 128, 128], flat_levels: 2 };

describe('drawArchitecture', () => {
  const { markup } = drawArchitecture(ARCHITECTURE, network);

  it('has a box a level and part, an arrow for each addition, and the poolings between the levels', () => {
    expect(markup.match(/<rect class="box"/g)).toHaveLength(9);
    const arrows = [...markup.matchAll(/Encoder level (\d) is added to decoder level (\d)/g)].map(([, from, to]) => [
      Number(to),
      Number(from),
    ]);
    expect(arrows.sort()).toEqual(
      ARCHITECTURE.decoder.flatMap(({ skips }, to) => skips.map((from) => [to, from])).sort(),
    );
    expect([...markup.matchAll(/pool (\d×\d×\d)/g)].map(([, stride]) => stride)).toEqual([
      '1×2×2',
      '2×2×2',
      '2×2×2',
      '2×1×1',
    ]);
  });

  it('draws texts that would leave their boxes narrower, and no others', () => {
    const texts = [...markup.matchAll(/<text class="label"([^>]*)>([^<]*)</g)];
    expect(texts).toHaveLength(9);
    // Of the two finest levels, whose kernels are flat, those that say LeakyReLU.
    for (const [, how, text] of texts) expect(how.includes('textLength="180"'), text).toBe(text.length > 25);
  });

  it('draws all boxes within the picture', () => {
    const [, width, height] = markup.match(/viewBox="0 0 (\d+) (\d+)"/)?.map(Number) ?? [];
    for (const [, x, y] of markup.matchAll(/translate\(([\d.]+) ([\d.]+)\)/g)) {
      expect(Number(x) + 216).toBeLessThanOrEqual(width);
      expect(Number(y) + 60).toBeLessThanOrEqual(height);
    }
  });
});

it('a U-Net has as many levels as it says, its strides between them, and a skip from each to its own', () => {
  const { markup } = drawArchitecture(unet, { channels: unet.features, flat_levels: 0 });
  expect(markup.match(/<rect class="box"/g)).toHaveLength(5);
  expect(markup).toContain('Encoder level 1 is joined to decoder level 1');
  expect([...markup.matchAll(/stride (\d×\d×\d)/g)].map(([, stride]) => stride)).toEqual(['1×2×2', '2×2×2']);
});
