import { describe, expect, it } from 'vitest';
import { blockText, drawArchitecture, levelSizes } from '../../src/report/architecture-drawing.ts';
import { ARCHITECTURE, MICRO_ARCHITECTURE } from './content.ts';

const network = { channels: [16, 32, 64, 128, 128], flat_levels: 2 };

it('sizes shrink by the poolings above a level, rounded up', () => {
  expect(levelSizes(ARCHITECTURE)).toEqual([
    [32, 48, 32],
    [32, 24, 16],
    [16, 12, 8],
    [8, 6, 4],
    [4, 6, 4],
  ]);
  const odd = { ...ARCHITECTURE, patch: { depth: 5, height: 7, width: 9 } };
  expect(levelSizes(odd)[3]).toEqual([2, 1, 2]);
});

it('a block is said in words: its kernels where slices are thick, and its own choices or the cell', () => {
  expect(blockText(ARCHITECTURE, network, 'encoder', 1)).toBe('1×3×3 · dilation 2 · ReLU');
  expect(blockText(ARCHITECTURE, network, 'encoder', 2)).toBe('dilation 1 · ELU');
  expect(blockText(ARCHITECTURE, network, 'decoder', 2)).toBe('dilation 1 · LeakyReLU');
  expect(blockText(MICRO_ARCHITECTURE, network, 'decoder', 3)).toBe('cell');
});

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

  it('draws all boxes within the picture', () => {
    const [, width, height] = markup.match(/viewBox="0 0 (\d+) (\d+)"/)?.map(Number) ?? [];
    for (const [, x, y] of markup.matchAll(/translate\(([\d.]+) ([\d.]+)\)/g)) {
      expect(Number(x) + 216).toBeLessThanOrEqual(width);
      expect(Number(y) + 60).toBeLessThanOrEqual(height);
    }
  });
});
