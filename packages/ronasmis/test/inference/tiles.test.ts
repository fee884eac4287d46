import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLarger, looksOf, paddedTo, tileFor, tileOffsets, voxelsPassed, within } from '../../src/inference/tiles.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { paperRecipe } from '../../src/recipe/paper.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';

type Size = readonly [number, number, number];
const sizes = (least: number, most: number): fc.Arbitrary<Size> => {
  const extent = fc.integer({ min: least, max: most });
  return fc.tuple(extent, extent, extent);
};
const voxels = ([depth, height, width]: Size): number => depth * height * width;

describe('the tile of a volume', () => {
  test('is the volume where that fits', () => {
    expect(tileFor([100, 7, 260], () => true)).toEqual([100, 7, 260]);
  });

  test('is made shorter along its longest axis, to multiples of 16, until it fits', () => {
    const most = (limit: number) => (tile: Size) => voxels(tile) <= limit;
    expect(tileFor([20, 300, 200], most(20 * 288 * 200))).toEqual([20, 288, 200]);
    expect(tileFor([20, 300, 200], most(20 * 200 * 200))).toEqual([20, 192, 200]);
    expect(tileFor([155, 240, 240], most(128 ** 3))).toEqual([128, 128, 128]);
  });

  test('is none where the smallest does not fit', () => {
    expect(tileFor([155, 240, 240], () => false)).toBeUndefined();
    expect(tileFor([5, 16, 40], (tile) => voxels(tile) < 5 * 16 * 16)).toBeUndefined();
  });

  test('always fits, and is nowhere longer than the volume', () => {
    fc.assert(
      fc.property(sizes(1, 300), fc.integer({ min: 1, max: 300 ** 3 }), (volume, most) => {
        const tile = tileFor(volume, (candidate) => voxels(candidate) <= most);
        if (tile === undefined) return;
        expect(voxels(tile)).toBeLessThanOrEqual(most);
        tile.forEach((size, axis) => {
          expect(size).toBeLessThanOrEqual(volume[axis]);
        });
      }),
    );
  });
});

test('tiles cover every voxel, lie inside, and overlap by half of a tile or more', () => {
  const both = fc.tuple(sizes(1, 60), sizes(2, 60)).map(([volume, size]) => {
    const least = (axis: 0 | 1 | 2): number => Math.min(size[axis], volume[axis]);
    return { volume, tile: [least(0), least(1), least(2)] as const };
  });
  fc.assert(
    fc.property(both, ({ volume, tile }) => {
      const offsets = tileOffsets(volume, tile);
      for (const axis of [0, 1, 2]) {
        const starts = [...new Set(offsets.map((offset) => offset[axis]))].sort((a, b) => a - b);
        expect(starts[0]).toBe(0);
        expect(starts.at(-1)).toBe(volume[axis] - tile[axis]);
        starts.slice(1).forEach((start, i) => {
          // Rounding may take half a voxel on either side.
          expect(start - starts[i]).toBeLessThanOrEqual(tile[axis] / 2 + 1);
        });
      }
      expect(new Set(offsets.map(String)).size).toBe(offsets.length);
    }),
  );
});

describe('the windows of a patch', () => {
  interface Reference {
    readonly image: Size;
    readonly patch: Size;
    readonly step: number;
    readonly steps: readonly (readonly number[])[];
  }
  /** Of nnU-Net, written by reference/sliding_window.py, which says what they are. */
  const { offsets: references }: { readonly offsets: readonly Reference[] } = JSON.parse(
    readFileSync(new URL('../reference/sliding_window.json', import.meta.url), 'utf8'),
  );

  test.each(references)('of $patch stand in $image as those of nnU-Net', ({ image, patch, step, steps }) => {
    const offsets = tileOffsets(image, patch, { ...nnunetRecipe.inference, tile_step: step });
    const wanted = steps[0].flatMap((z) => steps[1].flatMap((y) => steps[2].map((x) => [z, y, x])));
    expect(offsets).toEqual(wanted);
  });

  test('are of the training patch, where the recipe has any', () => {
    const child = { patch: { depth: 12, height: 16, width: 24 } };
    expect(looksOf(nnunetRecipe.inference, child)).toEqual({ window: [12, 16, 24], region: undefined });
    expect(looksOf(defaultRecipe.inference, child)).toEqual({ window: undefined, region: [12, 16, 24] });
    expect(looksOf(paperRecipe.inference, child)).toEqual({ window: undefined, region: undefined });
  });

  test('pass a voxel as often as they and their mirrorings hold it', () => {
    const [volume, window] = [[9, 13, 10] as const, [6, 8, 4] as const];
    expect(voxelsPassed(volume, { window }, nnunetRecipe.inference)).toBe(8 * (2 * 3 * 4) * (6 * 8 * 4));
    expect(voxelsPassed(volume, { window }, { ...nnunetRecipe.inference, mirroring: false, tile_step: 1 })).toBe(
      12 * 6 * 8 * 4,
    );
    expect(voxelsPassed([2, 3, 4], { window }, { ...nnunetRecipe.inference, mirroring: false })).toBe(6 * 8 * 4);
    expect(voxelsPassed(volume, {}, defaultRecipe.inference)).toBe(9 * 13 * 10);
    expect(paddedTo([2, 13, 4], window)).toEqual([6, 13, 4]);
  });

  test('pass a second time what is no smaller than the patch, of a volume that is larger', () => {
    const { inference } = defaultRecipe;
    const region = [6, 20, 4] as const;
    expect([isLarger([9, 13, 10], region), isLarger([6, 13, 4], region)]).toEqual([true, false]);
    expect(within([9, 13, 10], region)).toEqual([6, 13, 4]);
    expect(voxelsPassed([9, 13, 10], { region }, inference)).toBe(9 * 13 * 10 + 6 * 13 * 4);
    expect(voxelsPassed([6, 13, 4], { region }, inference)).toBe(6 * 13 * 4);
  });
});
