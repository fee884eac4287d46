import { expect, it } from 'vitest';
import { levelsOf } from '../../src/report/levels.ts';
import { unet } from '../architecture/unet.ts';
import { ARCHITECTURE, MICRO_ARCHITECTURE } from './content.ts';

const network = { channels: [16, 32, 64, 128, 128], flat_levels: 2 };

it('sizes shrink by the poolings above a level, rounded up', () => {
  expect(levelsOf(ARCHITECTURE, network).map(({ size }) => size)).toEqual([
    [32, 48, 32],
    [32, 24, 16],
    [16, 12, 8],
    [8, 6, 4],
    [4, 6, 4],
  ]);
  const odd = { ...ARCHITECTURE, patch: { depth: 5, height: 7, width: 9 } };
  expect(levelsOf(odd, network)[3].size).toEqual([2, 1, 2]);
});

it('a block is said in words: its kernels where slices are thick, and its own choices or the cell', () => {
  const levels = levelsOf(ARCHITECTURE, network);
  expect(levels[1].encoder).toBe('1×3×3 · dilation 2 · ReLU');
  expect(levels[2].encoder).toBe('dilation 1 · ELU');
  expect(levels[2].decoder?.block).toBe('dilation 1 · LeakyReLU');
  expect(levelsOf(MICRO_ARCHITECTURE, network)[3].decoder?.block).toBe('cell');
});

it('a block of other than two convolutions, or with a shortcut, says so', () => {
  const [first, ...others] = ARCHITECTURE.encoder;
  const encoder = [{ ...first, convolutions: 3, residual: true } as const, ...others];
  const [level] = levelsOf({ ...ARCHITECTURE, encoder }, { ...network, flat_levels: 0 });
  expect(level.encoder).toMatch(/^3 convolutions · residual · dilation \d · /);
});

it('a U-Net says its kernels and how many convolutions or residual blocks a stage has', () => {
  const residual = { ...unet, encoder: { block: 'residual', counts: [1, 3, 4] } } as const;
  expect(levelsOf(residual, network)).toEqual([
    {
      size: [8, 16, 16],
      channels: 4,
      stride: [1, 1, 1],
      encoder: '1 residual block · 1×3×3',
      decoder: { block: '2 convolutions · 1×3×3', skips: [0] },
    },
    {
      size: [8, 8, 8],
      channels: 8,
      stride: [1, 2, 2],
      encoder: '3 residual blocks · 3×3×3',
      decoder: { block: '2 convolutions · 3×3×3', skips: [1] },
    },
    { size: [4, 4, 4], channels: 16, stride: [2, 2, 2], encoder: '4 residual blocks · 3×3×3', decoder: undefined },
  ]);
});
