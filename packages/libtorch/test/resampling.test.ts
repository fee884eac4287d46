import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  argmaxLabels,
  resampleArgmax,
  resampleCubic,
  resampleLabels,
  resampleSoftmax,
  scope,
  setThreads,
  softmax,
  type Tensor,
  tensor,
  threads,
  to,
  zeros,
} from '../src/index.ts';

type Triple = readonly [number, number, number];
interface Reference {
  readonly shape: Triple;
  readonly size: Triple;
  readonly nearest_axis: number | null;
  readonly cubic: readonly number[];
  /** -1 where two labels have the same share. */
  readonly labels: readonly number[];
  readonly probabilities: readonly number[];
}
/** Values of scikit-image 0.26.0, written by reference/resampling.py, which says what they are. */
const references: readonly Reference[] = JSON.parse(
  readFileSync(new URL('reference/resampling.json', import.meta.url), 'utf8'),
);

interface LogitsReference {
  readonly shape: Triple;
  readonly size: Triple;
  readonly nearest_axis: number | null;
  readonly logits: readonly number[];
}
/** Values of nnU-Net 2.8.1, written by reference/resampled_logits.py, which says what they are. */
const logitsReferences: readonly LogitsReference[] = JSON.parse(
  readFileSync(new URL('reference/resampled_logits.json', import.meta.url), 'utf8'),
);

const voxelsOf = ([depth, height, width]: Triple): number => depth * height * width;
const sines = (length: number, phase: number, scale: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => scale * Math.sin(0.7 * i + phase));
const stripes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => Math.floor((i * i * 7) / 5) % 4);
const numbers = (make: () => Tensor): number[] => scope(() => make().toNumbers());
const largestDifference = (one: readonly number[], other: readonly number[]): number => {
  expect(one.length).toBe(other.length);
  return one.reduce((largest, value, i) => Math.max(largest, Math.abs(value - other[i])), 0);
};

describe.each(references)('$shape to $size, nearest along $nearest_axis, agrees with scikit-image', (reference) => {
  const { shape, size, nearest_axis } = reference;
  const voxels = voxelsOf(shape);

  test('cubic', () => {
    const resampled = numbers(() =>
      resampleCubic(tensor(sines(voxels, 0, 1), shape), size, { nearestAxis: nearest_axis ?? undefined }),
    );
    expect(largestDifference(resampled, reference.cubic)).toBeLessThan(1e-6);
  });

  test('labels', () => {
    const resampled = numbers(() =>
      resampleLabels(tensor(stripes(voxels), shape), size, { nearestAxis: nearest_axis ?? undefined }),
    );
    const decided = (labels: readonly number[]) => labels.filter((_, i) => reference.labels[i] >= 0);
    expect(decided(resampled)).toEqual(decided(reference.labels));
    expect(decided(resampled).length).toBeGreaterThan(resampled.length / 2);
  });

  test('probabilities', () => {
    const logits = () => tensor(sines(3 * voxels, 1, 3), [1, 3, ...shape]);
    const probabilities = numbers(() => resampleSoftmax(logits(), size));
    expect(largestDifference(probabilities, reference.probabilities)).toBeLessThan(2e-6);
    const labels = numbers(() => resampleArgmax(logits(), size));
    expect(labels).toEqual(numbers(() => argmaxLabels(tensor(Float32Array.from(probabilities), [1, 3, ...size]))));
  });
});

test.each(logitsReferences)(
  'logits of $shape to $size, nearest along $nearest_axis, agree with nnU-Net',
  ({ shape, size, nearest_axis, logits: expected }) => {
    scope(() => {
      const logits = tensor(sines(3 * voxelsOf(shape), 1, 3), [1, 3, ...shape]);
      const how = { nearestAxis: nearest_axis ?? undefined, interpolatesLogits: true };
      const wanted = tensor(Float32Array.from(expected), [1, 3, ...size]);
      const shares = softmax(wanted, 1).toNumbers();
      expect(largestDifference(resampleSoftmax(logits, size, how).toNumbers(), shares)).toBeLessThan(1e-5);
      expect(resampleArgmax(logits, size, how).toNumbers()).toEqual(argmaxLabels(wanted).toNumbers());
      // Probabilities that are interpolated are others.
      expect(largestDifference(resampleSoftmax(logits, size).toNumbers(), shares)).toBeGreaterThan(0.05);
    });
  },
);

const sizes = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 20 }));
const axes = fc.constantFrom(undefined, 0, 1, 2);

describe('resampleCubic', () => {
  test('keeps what is constant, and what has the size already', () => {
    fc.assert(
      fc.property(sizes, sizes, axes, fc.integer({ min: -99, max: 99 }), (shape, size, axis, value) => {
        const constant = new Float32Array(voxelsOf(shape)).fill(value);
        expect(new Set(numbers(() => resampleCubic(tensor(constant, shape), size, { nearestAxis: axis })))).toEqual(
          new Set([value]),
        );
        const values = sines(voxelsOf(shape), value, 1);
        expect(numbers(() => resampleCubic(tensor(values, shape), shape, { nearestAxis: axis }))).toEqual([...values]);
      }),
    );
  });

  test('stays within the range of its values, and turns with them', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.nat({ max: 99 }), (shape, size, phase) => {
        const values = sines(voxelsOf(shape), phase, 1);
        const resampled = numbers(() => resampleCubic(tensor(values, shape), size));
        expect(Math.min(...resampled)).toBeGreaterThanOrEqual(Math.min(...values));
        expect(Math.max(...resampled)).toBeLessThanOrEqual(Math.max(...values));
        const reversed = numbers(() => resampleCubic(tensor(values.toReversed(), shape), size));
        expect(largestDifference(reversed.reverse(), resampled)).toBeLessThan(1e-6);
      }),
    );
  });

  test('interpolates a ramp exactly, away from its ends', () => {
    const ramp = Float32Array.from({ length: 60 }, (_, i) => i);
    const resampled = numbers(() => resampleCubic(tensor(ramp, [1, 1, 60]), [1, 1, 90]));
    for (let i = 20; i < 70; i++) expect(resampled[i]).toBeCloseTo(((i + 0.5) * 60) / 90 - 0.5, 4);
  });

  const before = threads();
  afterEach(() => setThreads(before));
  test('is the same whatever the number of threads', () => {
    const values = sines(60 * 50 * 40, 2, 1);
    const run = (count: number) => {
      setThreads(count);
      return scope(() => resampleCubic(tensor(values, [60, 50, 40]), [45, 71, 33], { nearestAxis: 1 }).toArray());
    };
    const alone = run(1);
    expect(run(4)).toEqual(alone);
  });
});

describe('resampleLabels', () => {
  test('stays within the labels, keeps what is constant and what has the size already', () => {
    fc.assert(
      fc.property(sizes, sizes, axes, fc.nat({ max: 255 }), (shape, size, axis, value) => {
        const labels = stripes(voxelsOf(shape)).map((label) => (value + 9 * label) % 256);
        const resampled = numbers(() => resampleLabels(tensor(labels, shape), size, { nearestAxis: axis }));
        const known = new Set(labels);
        expect(resampled.filter((label) => !known.has(label))).toEqual([]);
        expect(numbers(() => resampleLabels(tensor(labels, shape), shape, { nearestAxis: axis }))).toEqual([...labels]);
      }),
    );
  });

  test('of equal shares, takes the larger label', () => {
    expect(numbers(() => resampleLabels(tensor(Uint8Array.of(7, 3, 0, 5), [1, 1, 4]), [1, 1, 2]))).toEqual([7, 5]);
  });
});

describe('resampleSoftmax and resampleArgmax', () => {
  const logitsOf = (batch: number, classes: number, shape: Triple, phase: number) =>
    tensor(sines(batch * classes * voxelsOf(shape), phase, 4), [batch, classes, ...shape]);

  test('are what they are without resampling where the size stays, in any layout and bfloat16', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 }), sizes, (batch, classes, shape) => {
        scope(() => {
          const logits = to(logitsOf(batch, classes, shape, classes), {
            dataType: 'bfloat16',
            copy: true,
            memoryFormat: 'channels_last_3d',
          });
          const expected = softmax(to(logits, { dataType: 'float32' }), 1).toNumbers();
          expect(largestDifference(resampleSoftmax(logits, [...shape]).toNumbers(), expected)).toBeLessThan(1e-6);
          expect(resampleArgmax(logits, [...shape]).toNumbers()).toEqual(argmaxLabels(logits).toNumbers());
        });
      }),
    );
  });

  test('interpolate nothing along the nearest axis: three times as many slices are each one three times', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.boolean(), (shape, [, height, width], interpolatesLogits) => {
        const depth = shape[0];
        const resampled = (slices: number) =>
          numbers(() =>
            resampleSoftmax(logitsOf(1, 3, shape, 2), [slices, height, width], { nearestAxis: 0, interpolatesLogits }),
          );
        const [once, thrice, slice] = [resampled(depth), resampled(3 * depth), height * width];
        const from = (i: number): number => Math.floor(Math.floor(i / slice) / 3) * slice + (i % slice);
        const repeated = thrice.map((_, i) => once[from(i)]);
        expect(largestDifference(thrice, repeated)).toBeLessThan(1e-6);
      }),
    );
  });

  test('sum to 1 on any grid, and treat the volumes of a batch alike', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.integer({ min: 2, max: 6 }), (shape, size, classes) => {
        const voxels = voxelsOf(size);
        const both = numbers(() => resampleSoftmax(logitsOf(2, classes, shape, 1), size));
        const sums = Array.from({ length: voxels }, (_, i) =>
          Array.from({ length: classes }, (_, c) => both[c * voxels + i]).reduce((sum, share) => sum + share),
        );
        expect(largestDifference(sums, new Array(voxels).fill(1))).toBeLessThan(1e-5);
        expect(numbers(() => resampleSoftmax(logitsOf(1, classes, shape, 1), size))).toEqual(
          both.slice(0, classes * voxels),
        );
      }),
    );
  });

  test('a linear ramp of probabilities is exact between its ends', () => {
    const shares = Float32Array.from({ length: 8 }, (_, i) => 0.1 + 0.1 * i);
    const logits = Float32Array.from(
      [...shares].flatMap((share) => Math.log(share)).concat([...shares].map((share) => Math.log(1 - share))),
    );
    const resampled = numbers(() => resampleSoftmax(tensor(logits, [1, 2, 1, 1, 8]), [1, 1, 20]));
    for (let i = 1; i < 19; i++) expect(resampled[i]).toBeCloseTo(0.1 + 0.1 * (((i + 0.5) * 8) / 20 - 0.5), 5);
  });
});

describe('what cannot be resampled is refused by a sentence', () => {
  test.each<[string, () => unknown, string]>([
    ['too few axes', () => resampleCubic(zeros([2, 3]), [2, 2, 2]), 'a volume must be [depth, height, width]'],
    ['another type', () => resampleLabels(zeros([2, 3, 4]), [2, 2, 2]), 'a volume must be a dense tensor of Byte'],
    ['an empty size', () => resampleCubic(zeros([2, 3, 4]), [2, 0, 2]), 'three positive numbers, not [2, 0, 2]'],
    [
      'an axis that is none',
      () => resampleCubic(zeros([2, 3, 4]), [2, 2, 2], { nearestAxis: 3 }),
      'the axis must be 0, 1 or 2, not 3',
    ],
    [
      'an axis of logits that is none',
      () => resampleArgmax(zeros([1, 2, 2, 3, 4]), [2, 2, 2], { nearestAxis: -1 }),
      'the axis must be 0, 1 or 2, not -1',
    ],
    [
      'no logits',
      () => resampleArgmax(zeros([2, 3, 4]), [2, 2, 2]),
      'logits must be [batch, class, depth, height, width]',
    ],
    ['too many classes', () => resampleArgmax(zeros([1, 257, 1, 1, 1]), [2, 2, 2]), 'no room for 257 classes'],
  ])('%s', (_, make, message) => {
    scope(() => expect(make).toThrow(message));
  });
});
