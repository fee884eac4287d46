import { readFileSync } from 'node:fs';
import {
  convolution3d,
  memory,
  multiplyScalar,
  narrow,
  pointwiseConvolution3d,
  scope,
  type Tensor,
  tensor,
} from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { meanOfMirrorings } from '../../src/inference/mirroring.ts';
import { logitsInTiles, tileWeights } from '../../src/inference/sliding-window.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { chirp, type Digest, expectDigest } from '../chirp.ts';

interface Logits {
  readonly image: Triple;
  readonly patch: Triple;
  readonly mirroring: boolean;
  readonly gaussian: boolean;
  readonly logits: Digest;
}
interface Gaussian {
  readonly patch: Triple;
  readonly weights: Digest;
}
/** Of nnU-Net's own predictor, written by reference/sliding_window.py, which says what they are. */
const references: { readonly logits: readonly Logits[]; readonly gaussians: readonly Gaussian[] } = JSON.parse(
  readFileSync(new URL('../reference/sliding_window.json', import.meta.url), 'utf8'),
);

describe('windows of the patch', () => {
  const kernel = chirp([2, 1, 3, 3, 3], 2);
  const convolved = (image: Tensor): Tensor => convolution3d(image, kernel);

  test.each(references.logits)(
    'of $patch over $image, mirrored $mirroring, Gaussian $gaussian, give the logits of nnU-Net',
    ({ image, patch, mirroring, gaussian, logits }) => {
      const pass = mirroring ? (part: Tensor): Tensor => meanOfMirrorings(part, convolved) : convolved;
      const tiling = { ...nnunetRecipe.inference, tile_weights: gaussian ? ('gaussian' as const) : ('even' as const) };
      scope(() => {
        const found = logitsInTiles(chirp([1, 1, ...image], 1), { tile: patch, classes: 2, tiling }, pass);
        expect(found.shape).toEqual([1, ...(logits.shape ?? [])]);
        expectDigest(found, { ...logits, shape: found.shape }, 1e-5);
      });
    },
  );

  test.each(references.gaussians)('of $patch weigh voxels as those of nnU-Net', ({ patch, weights }) => {
    const found = tileWeights(patch, nnunetRecipe.inference);
    scope(() => expectDigest(tensor(found, patch), weights, 1e-8));
    expect(Math.min(...found) / weights.values[0]).toBeCloseTo(1, 6);
    expect(Math.max(...found)).toBe(10);
  });

  test('pass each image of a batch as if it were alone', () => {
    scope(() => {
      const both = chirp([2, 1, 9, 5, 10], 3);
      const how = { tile: [6, 8, 4], classes: 2, tiling: nnunetRecipe.inference } as const;
      const together = logitsInTiles(both, how, convolved);
      const alone = [0, 1].map((at) => logitsInTiles(narrow(both, 0, at, 1), how, convolved));
      expect(together.shape).toEqual([2, 2, 9, 5, 10]);
      expect(together.toNumbers()).toEqual(alone.flatMap((one) => one.toNumbers()));
    });
  });

  test('that are even give the mean of what they say of a voxel', () => {
    // Windows of 4 at 0, 2 and 4 of 8 voxels say 0, 1 and 2.
    let calls = 0;
    const values = scope(() =>
      logitsInTiles(
        chirp([1, 1, 1, 1, 8], 1),
        { tile: [1, 1, 4], classes: 1, tiling: { ...nnunetRecipe.inference, tile_weights: 'even' } },
        () => tensor(new Float32Array(4).fill(calls++), [1, 1, 1, 1, 4]),
      ).toNumbers(),
    );
    expect(values).toEqual([0, 0, 0.5, 0.5, 1.5, 1.5, 2, 2]);
  });

  test('pad a volume that is smaller with zeros, one more of an odd number behind it, and cut what they say of these', () => {
    const seen: number[][] = [];
    const found = scope(() =>
      logitsInTiles(
        tensor(Float32Array.of(5, 6, 7), [1, 1, 1, 1, 3]),
        { tile: [1, 2, 8], classes: 1, tiling: nnunetRecipe.inference },
        (window) => {
          seen.push(window.toNumbers());
          return tensor(
            Float32Array.from({ length: 16 }, (_, i) => i),
            [1, 1, 1, 2, 8],
          );
        },
      ).toNumbers(),
    );
    expect(seen).toEqual([[0, 0, 5, 6, 7, 0, 0, 0, ...new Array(8).fill(0)]]);
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(2 + i, 6);
    });
  });
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
