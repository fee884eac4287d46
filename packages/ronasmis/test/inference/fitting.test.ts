import { freeMemoryBytes, peakTensorBytes, resetPeakTensorBytes, scope } from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { type Triple, voxelsOf } from '../../src/base/geometry.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { bytesBesidePass } from '../../src/inference/beside-pass.ts';
import { bytesForPass, fittingTile, sufficientMemory } from '../../src/inference/fitting.ts';
import { segment } from '../../src/inference/segment.ts';
import { passBytes } from '../../src/network/memory.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { macroSpace } from '../../src/space/macro.ts';
import { spaceWeights } from '../network/peer.ts';
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

describe('windows of the patch', () => {
  const dimensions = networkDimensions(1, 3);
  const wide = networkOf(macroSpace([32, 32, 32], dimensions).base, dimensions);
  const inference = { ...nnunetRecipe.inference, smallest_tile: 16 };
  const how = { ...cpu, inference, window: [32, 32, 32] as const };

  it('take what a pass over one takes, however large the volume is, beside its own arrays', () => {
    const large = [64, 64, 128] as const;
    const { whole } = sufficientMemory(wide, [32, 32, 32], how);
    const ofVolume = sufficientMemory(wide, large, how).whole;
    expect(ofVolume).toBeGreaterThan(whole);
    // An image twice, sums and means of three classes' logits, and their weights: 36 bytes for a voxel.
    expect(ofVolume - whole).toBeLessThan((36 * 64 * 64 * 128) / mebibyte);
    expect(sufficientMemory(wide, large, cpu).whole).toBeGreaterThan(ofVolume + 50);
  });

  it('are of that size where one fits, even in a smaller volume, and smaller where not', () => {
    const { whole, tiles } = sufficientMemory(network, volume, how);
    const within = (mebibytes: number, of: Triple = volume) =>
      fittingTile(network, of, bytesForPass(mebibytes * mebibyte, 'cpu'), how);
    expect(within(whole)).toEqual([32, 32, 32]);
    expect(within(whole, [20, 24, 18])).toEqual([32, 32, 32]);
    expect(within(whole - 1)).toEqual([16, 32, 32]);
    expect(within(tiles)).toEqual([16, 16, 16]);
    expect(within(tiles - 1)).toBeUndefined();
  });

  it.skipIf(process.platform !== 'linux').each([
    { size: [24, 48, 32], tile: [24, 32, 32] },
    { size: [24, 40, 20], tile: [24, 32, 40] },
    { size: [24, 32, 40], tile: undefined },
  ] as const)("of $tile over $size, mirrored, take the bytes that libtorch's allocator gives out", ({ size, tile }) => {
    const wideWeights = spaceWeights('macro', dimensions, 2);
    const values = new Float32Array(voxelsOf(size));
    const measured = scope(() => {
      resetPeakTensorBytes('cpu');
      const before = peakTensorBytes('cpu');
      segment(wide, wideWeights, toImage(values, [1, 1, ...size], 'cpu', 'float32'), { tile, inference });
      return peakTensorBytes('cpu') - before;
    });
    const pass = passBytes(wide, { ...cpu, batch: 1, size: tile ?? size, training: false });
    const image = tile ? 4 * voxelsOf(size) : 0;
    const ratio = (pass + image + bytesBesidePass(wide, size, { ...cpu, tile, inference })) / measured;
    expect(ratio).toBeGreaterThan(0.95);
    expect(ratio).toBeLessThan(1.15);
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
