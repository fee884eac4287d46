import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  call,
  expand,
  permute,
  scope,
  setThreads,
  squaredDistanceTransform,
  surfaceDistances,
  Tensor,
  tensor,
  threads,
  to,
  zeros,
} from '../src/index.ts';

type Triple = readonly [number, number, number];
/** A mask in memory order. */
interface Mask {
  readonly shape: Triple;
  readonly set: readonly boolean[];
}

const asTensor = ({ shape, set }: Mask): Tensor => tensor(Uint8Array.from(set, Number), shape);

const sizes = fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 6 }), fc.nat({ max: 9 }));
const spacings = fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0.2, max: 5, noNaN: true })));
/** Two masks of one shape, between almost empty and almost full, and a spacing. */
const masks = fc.tuple(sizes, fc.constantFrom(2, 10, 50, 90)).chain(([shape, percent]) => {
  const length = shape[0] * shape[1] * shape[2];
  const mask = fc
    .array(fc.integer({ min: 0, max: 99 }), { minLength: length, maxLength: length })
    .map((values): Mask => ({ shape, set: values.map((value) => value < percent) }));
  return fc.tuple(mask, mask, spacings);
});

/** Index along [depth, height, width] of the `voxel`th voxel in memory order. */
const place = ([, height, width]: Triple, voxel: number): Triple => [
  Math.floor(voxel / (height * width)),
  Math.floor(voxel / width) % height,
  voxel % width,
];

/** Squared distance of a voxel to the nearest of `seeds`, by trying all. */
function nearest(shape: Triple, spacing: readonly number[], voxel: number, seeds: readonly boolean[]): number {
  const here = place(shape, voxel);
  const squares = seeds.map((isSet, seed) => {
    if (!isSet) return Infinity;
    return place(shape, seed).reduce((sum, index, axis) => sum + ((index - here[axis]) * spacing[axis]) ** 2, 0);
  });
  return squares.reduce((a, b) => Math.min(a, b), Infinity);
}

/** The set voxels of which one of the six neighbours is not set or beyond the volume. */
function surface({ shape, set }: Mask): readonly boolean[] {
  const isSet = ([z, y, x]: Triple) =>
    [z, y, x].every((index, axis) => index >= 0 && index < shape[axis]) && set[(z * shape[1] + y) * shape[2] + x];
  return set.map((own, voxel) => {
    const [z, y, x] = place(shape, voxel);
    const steps = [-1, 1].flatMap((step): Triple[] => [
      [z + step, y, x],
      [z, y + step, x],
      [z, y, x + step],
    ]);
    return own && !steps.every(isSet);
  });
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    if (!(Math.abs(value - expected[i]) <= 1e-12 * expected[i])) expect(value).toBe(expected[i]);
  });
}

describe('squaredDistanceTransform', () => {
  test('agrees with SciPy', () => {
    // s = np.ones((4, 5, 6)); s[0, 0, 0] = s[3, 4, 2] = s[1, 2, 5] = 0
    // d = scipy.ndimage.distance_transform_edt(s, sampling=(2.5, 0.9, 1.1)); d.sum(), d[2, 2, 2], d[3, 0, 5], d.max()
    const seeds = new Uint8Array(4 * 5 * 6);
    for (const voxel of [0, (3 * 5 + 4) * 6 + 2, (1 * 5 + 2) * 6 + 5]) seeds[voxel] = 1;
    const squares = scope(() => squaredDistanceTransform(tensor(seeds, [4, 5, 6]), [2.5, 0.9, 1.1]).toNumbers());
    const distances = squares.map(Math.sqrt);
    expect(distances.reduce((a, b) => a + b)).toBeCloseTo(338.58525303302997, 10);
    expect(distances[(2 * 5 + 2) * 6 + 2]).toBeCloseTo(3.0805843601498726, 12);
    expect(distances[(3 * 5 + 0) * 6 + 5]).toBeCloseTo(4.883646178829912, 12);
    expect(Math.max(...distances)).toBeCloseTo(4.904079934095692, 12);
  });

  test('is the smallest of the distances to all seeds, infinite without any', () => {
    fc.assert(
      fc.property(masks, ([mask, , spacing]) => {
        const distances = scope(() => squaredDistanceTransform(asTensor(mask), spacing).toNumbers());
        const expected = mask.set.map((_, voxel) => nearest(mask.shape, spacing, voxel, mask.set));
        expectClose(distances, expected);
      }),
    );
  });

  test('takes masks in any layout, bool or uint8 of any value', () => {
    fc.assert(
      fc.property(masks, ([mask, , [dz, dy, dx]]) => {
        scope(() => {
          const seeds = asTensor(mask);
          const plain = squaredDistanceTransform(seeds, [dz, dy, dx]);
          const turned = squaredDistanceTransform(permute(to(seeds, { dataType: 'bool' }), [2, 0, 1]), [dx, dz, dy]);
          const loud = tensor(
            Uint8Array.from(mask.set, (isSet) => (isSet ? 254 : 0)),
            mask.shape,
          );
          expectClose(permute(turned, [1, 2, 0]).toNumbers(), plain.toNumbers());
          expect(squaredDistanceTransform(loud, [dz, dy, dx]).toNumbers()).toEqual(plain.toNumbers());
        });
      }),
    );
  });
});

describe('surfaceDistances', () => {
  test('go from each surface voxel of one mask to the nearest of the other, in memory order', () => {
    fc.assert(
      fc.property(masks, ([first, second, spacing]) => {
        const distances = scope(() =>
          surfaceDistances(asTensor(first), asTensor(second), spacing).map((values) => values.toNumbers()),
        );
        const surfaces = [surface(first), surface(second)];
        const expected = surfaces.map((own, i) =>
          own.flatMap((isSet, voxel) =>
            isSet ? [Math.sqrt(nearest(first.shape, spacing, voxel, surfaces[1 - i]))] : [],
          ),
        );
        expectClose(distances[0], expected[0]);
        expectClose(distances[1], expected[1]);
      }),
    );
  });

  test('of a cube leave its inside out', () => {
    scope(() => {
      const empty = zeros([5, 5, 5], { dataType: 'bool' });
      const full = tensor(new Uint8Array(125).fill(1), [5, 5, 5]);
      expect(surfaceDistances(full, full, [1, 1, 1])[0].toNumbers()).toEqual(new Array(125 - 27).fill(0));
      expect(surfaceDistances(full, empty, [1, 1, 1])[1].toNumbers()).toEqual([]);
    });
  });

  const before = threads();
  afterEach(() => setThreads(before));
  test('are the same whatever the number of threads', () => {
    // 64^3 voxels: enough that each of the threads has lines to do.
    const shape = [64, 64, 64];
    const noise = (seed: number) =>
      Uint8Array.from({ length: 64 ** 3 }, (_, i) => ((i * 2654435761 + seed) % 4294967296 < 3e6 ? 1 : 0));
    const run = (count: number) => {
      setThreads(count);
      return scope(() =>
        surfaceDistances(tensor(noise(1), shape), tensor(noise(7e8), shape), [3, 0.8, 1.2]).map((values) =>
          values.toArray(),
        ),
      );
    };
    const alone = run(1);
    expect(alone[0].length).toBeGreaterThan(100);
    expect(run(4)).toEqual(alone);
  });
});

describe('what cannot be measured is refused by a sentence', () => {
  const mask = tensor(new Uint8Array(24), [2, 3, 4]);
  const wrong: readonly (readonly [string, () => Tensor, readonly number[], string])[] = [
    [
      'too few axes',
      () => zeros([2, 3], { dataType: 'uint8' }),
      [1, 1, 1],
      'a mask must be [depth, height, width], not [2, 3]',
    ],
    ['another type', () => zeros([2, 3, 4]), [1, 1, 1], 'a mask must be bool or uint8, not Float'],
    [
      'too large',
      () => expand(zeros([1, 1, 1], { dataType: 'uint8' }), [4096, 4096, 4096]),
      [1, 1, 1],
      'voxels at most',
    ],
    ['too few spacings', () => mask, [1, 1], 'spacing must have 3 values'],
    ['no distance', () => mask, [1, 0, 1], 'spacing must be positive and finite, not [1, 0, 1]'],
    ['a negative distance', () => mask, [1, -1, 1], 'spacing must be positive'],
    ['not a number', () => mask, [1, Number.NaN, 1], 'spacing must be positive'],
    ['an endless distance', () => mask, [Infinity, 1, 1], 'spacing must be positive'],
  ];
  test.each(wrong)('%s', (_, make, spacing, message) => {
    scope(() => {
      expect(() => squaredDistanceTransform(make(), spacing)).toThrow(message);
      expect(() => surfaceDistances(mask, make(), spacing)).toThrow(message);
    });
  });

  test('masks of two shapes', () => {
    const other = zeros([3, 2, 4], { dataType: 'uint8' });
    expect(() => surfaceDistances(mask, other, [1, 1, 1])).toThrow('both masks must have one shape');
  });

  test('a tensor that has no memory here', () => {
    scope(() => {
      const [elsewhere] = [call('aten::zeros', '', [2, 3, 4], 'uint8', null, 'meta')].filter(
        (made) => made instanceof Tensor,
      );
      expect(() => call('ronasmis::squared_distance_transform', '', elsewhere, [1, 1, 1])).toThrow('on the CPU');
    });
  });
});
