import { memory, multiplyScalar, pointwiseConvolution3d, scope, type Tensor, tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logitsInTiles, tileFor, tileOffsets } from '../../src/inference/tiles.ts';
import { chirp } from '../chirp.ts';

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

describe('logits in tiles', () => {
  const kernel = tensor(
    Float32Array.from({ length: 6 }, (_, i) => Math.sin(i + 1)),
    [3, 2, 1, 1, 1],
  );
  const pointwise = (image: Tensor): Tensor => pointwiseConvolution3d(image, kernel);

  test('are those of the volume for a network that looks at single voxels', () => {
    scope(() => {
      const image = chirp([1, 2, 20, 33, 18], 1);
      const [found, expected] = [logitsInTiles(image, { tile: [16, 16, 16], classes: 3 }, pointwise), pointwise(image)];
      expect(found.shape).toEqual(expected.shape);
      const theirs = expected.toNumbers();
      found.toNumbers().forEach((value, i) => {
        expect(Math.abs(value - theirs[i])).toBeLessThan(1e-5);
      });
    });
  });

  test('weigh a tile most in its middle', () => {
    // The first tile says 0 and the second 1, of 24 voxels in two tiles of 16.
    let calls = 0;
    const values = scope(() =>
      logitsInTiles(chirp([1, 1, 1, 1, 24], 1), { tile: [1, 1, 16], classes: 1 }, (tile) => {
        const said = multiplyScalar(tile, 0);
        return calls++ === 0 ? said : tensor(new Float32Array(16).fill(1), [1, 1, 1, 1, 16]);
      }).toNumbers(),
    );
    expect(calls).toBe(2);
    expect(values.slice(0, 8)).toEqual(new Array(8).fill(0));
    expect(values.slice(16)).toEqual(new Array(8).fill(1));
    // Between the two middles, at 7.5 and 15.5, as nnU-Net's Gaussian of an eighth of the tile has it.
    const share = (x: number): number => {
      const [first, second] = [7.5, 15.5].map((middle) => Math.exp(-0.5 * ((x - middle) / 2) ** 2));
      return second / (first + second);
    };
    for (let x = 8; x < 16; x += 1) expect(values[x]).toBeCloseTo(share(x), 5);
  });

  test('leave no tensor but the result', () => {
    const image = chirp([1, 2, 16, 20, 16], 1);
    const before = memory().tensors;
    const found = logitsInTiles(image, { tile: [16, 16, 16], classes: 3 }, pointwise);
    expect(memory().tensors).toBe(before + 1);
    found.free();
  });
});
