import { freeMemoryBytes } from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import { bytesForPass, fittingTile, sufficientMemory } from '../../src/inference/fitting.ts';
import { passBytes } from '../../src/network/memory.ts';
import { network } from './tiny-run.ts';

const cpu = { device: 'cpu', dataType: 'float32' } as const;
const mebibyte = 2 ** 20;
const volume = [33, 36, 40] as const;

describe('bytesForPass', () => {
  it('is what a budget leaves beside the process, whose memory is not that of a GPU', () => {
    expect(bytesForPass(4000 * mebibyte, 'cpu')).toBe(3600 * mebibyte);
    expect(bytesForPass(4000 * mebibyte, 'cuda')).toBe(4000 * mebibyte);
  });

  it('is less than what is free where no budget is given', () => {
    const free = freeMemoryBytes('cpu');
    const taken = bytesForPass(undefined, 'cpu');
    // Others take and free memory meanwhile.
    expect(taken).toBeGreaterThan(0.4 * free);
    expect(taken).toBeLessThan(free);
  });
});

describe('fittingTile', () => {
  it('is the whole volume where a pass over it fits', () => {
    expect(fittingTile(network, volume, 1e12, cpu)).toEqual(volume);
  });

  it('is less where less fits, a pass over which fits indeed, and at last none', () => {
    const sizes = Array.from({ length: 200 }, (_, i) => (400 - 2 * i) * 2 ** 17);
    const tiles = sizes.map((bytes) => fittingTile(network, volume, bytes, cpu));
    const voxels = tiles.map((tile) => (tile ? tile[0] * tile[1] * tile[2] : 0));
    expect(voxels).toEqual(voxels.toSorted((a, b) => b - a));
    expect(new Set(voxels).size).toBeGreaterThan(3);
    expect(tiles.at(-1)).toBeUndefined();
    tiles.forEach((size, i) => {
      if (size) expect(passBytes(network, { ...cpu, batch: 1, size, training: false })).toBeLessThanOrEqual(sizes[i]);
    });
  });
});

describe('sufficientMemory', () => {
  it.each(['cpu', 'cuda'] as const)('is the least that suffices, in one pass and in tiles, on %s', (device) => {
    const how = { device, dataType: 'float32' } as const;
    const tileWithin = (mebibytes: number) =>
      fittingTile(network, volume, bytesForPass(mebibytes * mebibyte, device), how);
    const { whole, tiles } = sufficientMemory(network, volume, how);
    expect(tileWithin(whole)).toEqual(volume);
    expect(tileWithin(whole - 1)).not.toEqual(volume);
    expect(tileWithin(tiles)).toBeDefined();
    expect(tileWithin(tiles - 1)).toBeUndefined();
    expect(tiles).toBeLessThan(whole);
  });
});
