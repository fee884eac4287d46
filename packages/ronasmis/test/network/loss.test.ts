import { concatenate, type DataType, scope, setThreads, type Tensor, tensor, threads, to } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import { IGNORED_CLASS } from '../../src/data/description.ts';
import { composedLoss, fusedLoss, networkLoss, type SupervisedLevel } from '../../src/network/loss.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { chirp, expectDigest, product } from '../chirp.ts';
import { chirpLabel, narrow, reference } from './peer.ts';

type Loss = typeof fusedLoss;
type Triple = readonly [number, number, number];

/** Of logits in the label's own resolution. */
const single = (logits: Tensor): SupervisedLevel[] => [{ logits, stride: [1, 1, 1], weight: 1 }];
const labelOf = (shape: readonly number[], classes: number): Tensor =>
  tensor(chirpLabel(product(shape), classes, 3), shape);

describe.each<[string, Loss]>([
  ['fusedLoss', fusedLoss],
  ['composedLoss', composedLoss],
])('%s', (_name, lossOf) => {
  test.each(reference.losses)(
    'is the sum of MONAI DiceLoss and PyTorch cross_entropy, for $shape with $present classes present',
    ({ shape, present, loss, gradient }) => {
      const logits = chirp(shape, 2, (value) => 3 * value);
      logits.requiresGradient = true;
      scope(() => {
        const found = lossOf(single(logits), labelOf([shape[0], ...shape.slice(2)], present));
        expect(found.item()).toBeCloseTo(loss, 5);
        found.backward();
        if (!logits.gradient) throw new Error('The logits have no gradient.');
        expectDigest(logits.gradient, gradient, 1e-4);
      });
    },
  );

  /** Logits that are sure of a class at every voxel: `certain[v]` is the class of voxel v of one batch. */
  const sure = (certain: readonly number[], classes: number): Tensor =>
    tensor(
      Float32Array.from({ length: classes * certain.length }, (_, i) =>
        certain[i % certain.length] === Math.floor(i / certain.length) ? 100 : 0,
      ),
      [1, classes, 1, 1, certain.length],
    );
  const labelled = (classes: readonly number[]): Tensor => tensor(Uint8Array.from(classes), [1, 1, 1, classes.length]);

  test('is 0 for a sure and right prediction, also of a class that is nowhere', () => {
    const found = lossOf(single(sure([0, 1, 1, 0], 3)), labelled([0, 1, 1, 0]));
    expect(found.item()).toBeCloseTo(0, 6);
  });

  test('counts a quarter of wrong voxels by both parts', () => {
    // One of class 1's two voxels is missed: Dice 2/3; the cross-entropy of that voxel is 100, of four voxels 25.
    const found = lossOf(single(sure([0, 1, 0, 0], 2)), labelled([0, 1, 1, 0]));
    expect(found.item()).toBeCloseTo(1 - 2 / 3 + 25, 4);
  });
});

interface Case {
  readonly batch: number;
  readonly classes: number;
  readonly size: Triple;
  readonly strides: readonly Triple[];
  readonly layout: 'contiguous' | 'channels_last_3d';
  readonly batchDice: boolean;
  /** Whether the label is compared by the middle of each cell, where the last cell of the axis has it; else by the first voxel. */
  readonly isCentred: boolean;
}

/** The loss and the gradients of all levels' logits, as numbers. */
function run(lossOf: Loss, example: Case, dataType: DataType): readonly number[][] {
  const { batch, classes, size, strides, layout, batchDice, isCentred } = example;
  const first: Triple = [0, 0, 0];
  return scope(() => {
    const levels = strides.map((stride, level) => {
      const middle = (axis: 0 | 1 | 2) => Math.min(Math.floor(stride[axis] / 2), (size[axis] - 1) % stride[axis]);
      const offset: Triple = isCentred ? [middle(0), middle(1), middle(2)] : first;
      const downsampled = size.map((extent, axis) => Math.ceil(extent / stride[axis]));
      const scores = chirp([batch, classes, ...downsampled], level, (value) => 6 * value);
      const logits = to(scores, { dataType, copy: true, memoryFormat: layout });
      logits.requiresGradient = true;
      return { logits, stride, offset, weight: 1 / (level + 1) };
    });
    const loss = lossOf(levels, labelOf([batch, ...size], classes), { batchDice });
    loss.backward();
    return [loss, ...levels.map(({ logits }) => logits.gradient)].map((found) =>
      found ? to(found, { dataType: 'float32' }).toNumbers() : [],
    );
  });
}

/** Largest difference, as a share of the largest value. */
function relativeDifference(ours: readonly number[], theirs: readonly number[]): number {
  expect(ours).toHaveLength(theirs.length);
  const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest(ours.map((value, i) => value - theirs[i])) / largest(theirs);
}

describe('the fused loss and the composed one', () => {
  const extent = (max: number) => fc.integer({ min: 1, max });
  const step = fc.constantFrom(1, 2, 3);
  const anyCase: fc.Arbitrary<Case> = fc.record({
    batch: extent(3),
    classes: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 2, max: 9 }) }, fc.constantFrom(33, 64, 100)),
    size: fc.tuple(extent(5), extent(6), extent(19)),
    strides: fc.array(fc.tuple(step, step, step), { minLength: 1, maxLength: 3 }),
    layout: fc.constantFrom('contiguous', 'channels_last_3d'),
    batchDice: fc.boolean(),
    isCentred: fc.boolean(),
  });
  const large: Case = {
    batch: 2,
    classes: 3,
    size: [9, 16, 37],
    strides: [
      [1, 1, 1],
      [1, 2, 2],
      [4, 4, 4],
    ],
    layout: 'channels_last_3d',
    batchDice: false,
    isCentred: false,
  };

  function expectSame(example: Case, dataType: DataType, tolerance: number): void {
    const theirs = run(composedLoss, example, dataType);
    run(fusedLoss, example, dataType).forEach((values, part) => {
      expect(relativeDifference(values, theirs[part])).toBeLessThan(tolerance);
    });
  }

  test('are the same in float32, gradients included, whatever shape, strides, classes and layout', () => {
    fc.assert(
      fc.property(anyCase, (example) => {
        expectSame(example, 'float32', 2e-5);
      }),
      { numRuns: 60 },
    );
    expectSame(large, 'float32', 2e-5);
  });

  test('are the same in bfloat16 but for the rounding of the gradient', () => {
    for (const layout of ['contiguous', 'channels_last_3d'] as const) {
      expectSame({ ...large, layout }, 'bfloat16', 0.01);
      expectSame({ ...large, layout, classes: 5, batchDice: true, isCentred: true }, 'bfloat16', 0.01);
    }
  });

  test('the fused one gives the same bits for any number of threads', () => {
    const before = threads();
    const [one, two] = [1, 2].map((count) => {
      setThreads(count);
      return run(fusedLoss, large, 'float32');
    });
    setThreads(before);
    expect(two).toEqual(one);
  });

  test('the fused one says what it cannot take', () => {
    const logits = chirp([1, 3, 2, 3, 4], 0);
    const label = labelOf([1, 2, 3, 4], 3);
    const wrong = tensor(
      Uint8Array.from({ length: 24 }, (_, i) => (i === 23 ? 7 : 0)),
      [1, 2, 3, 4],
    );
    expect(() => fusedLoss(single(logits), wrong)).toThrow(/a voxel of class 7, but there are 3 classes/);
    expect(() => fusedLoss([{ logits, stride: [1, 2, 1], weight: 1 }], label)).toThrow(/downsampled by 1, 2 and 1/);
    expect(() => fusedLoss([{ logits, stride: [0, 1, 1], weight: 1 }], label)).toThrow(/1 or more, not 0/);
    const beyond = { logits, stride: [1, 1, 2], offset: [0, 0, 2], weight: 1 } as const;
    expect(() => fusedLoss([beyond], label)).toThrow(/within the stride 2 .* unlike 2/);
    expect(() => fusedLoss([], label)).toThrow(/one or more/);
    expect(() => fusedLoss(single(logits), to(label, { dataType: 'int64' }))).toThrow(/must be uint8/);
    expect(() => fusedLoss(single(label), label)).toThrow(/\[batch, class, depth, height, width\]/);
    expect(() => fusedLoss(single(to(logits, { dataType: 'float64' })), label)).toThrow(/float32 or bfloat16/);
    expect(() => fusedLoss(single(chirp([1, 1, 2, 3, 4], 0)), label)).toThrow(/two classes or more/);
  });
});

test('voxels that are ignored count for nothing: the loss and the gradients are those of the others alone', () => {
  const ignored = fc.array(fc.boolean(), { minLength: 2, maxLength: 40 }).filter((all) => all.includes(false));
  fc.assert(
    fc.property(ignored, fc.integer({ min: 2, max: 5 }), (isIgnored, classes) => {
      const all = isIgnored.length;
      const kept = isIgnored.flatMap((is, voxel) => (is ? [] : [voxel]));
      const label = chirpLabel(all, classes, 3);
      const scores = Float32Array.from({ length: classes * all }, (_, i) => 3 * Math.sin(1 + i * i));
      const whole = tensor(scores, [1, classes, 1, 1, all]);
      const values = kept.map((voxel) => Array.from({ length: classes }, (_, c) => scores[c * all + voxel]));
      const part = tensor(
        Float32Array.from(
          { length: classes * kept.length },
          (_, i) => values[i % kept.length][Math.floor(i / kept.length)],
        ),
        [1, classes, 1, 1, kept.length],
      );
      for (const logits of [whole, part]) logits.requiresGradient = true;
      scope(() => {
        const marked = Uint8Array.from(label, (value, voxel) => (isIgnored[voxel] ? IGNORED_CLASS : value));
        const ours = composedLoss(single(whole), tensor(marked, [1, 1, 1, all]));
        const theirs = fusedLoss(
          single(part),
          tensor(
            Uint8Array.from(kept, (voxel) => label[voxel]),
            [1, 1, 1, kept.length],
          ),
        );
        expect(ours.item()).toBeCloseTo(theirs.item(), 4);
        for (const loss of [ours, theirs]) loss.backward();
        const [ofWhole, ofPart] = [whole, part].map(({ gradient }) => gradient?.toNumbers() ?? []);
        for (let c = 0; c < classes; c += 1) {
          isIgnored.forEach((is, voxel) => {
            const expected = is ? 0 : ofPart[c * kept.length + kept.indexOf(voxel)];
            expect(ofWhole[c * all + voxel]).toBeCloseTo(expected, 5);
          });
        }
      });
    }),
    { numRuns: 30 },
  );
});

test('a patch of ignored voxels alone has the loss 0, and no gradient that is not a number', () => {
  const logits = chirp([1, 3, 1, 2, 2], 1);
  logits.requiresGradient = true;
  scope(() => {
    const loss = composedLoss(single(logits), tensor(new Uint8Array(4).fill(IGNORED_CLASS), [1, 1, 2, 2]));
    expect(loss.item()).toBeCloseTo(0, 6);
    loss.backward();
    for (const value of logits.gradient?.toNumbers() ?? [Number.NaN]) expect(value).toBe(0);
  });
});

describe('networkLoss', () => {
  const { child: base } = reference.children['the base'];
  const child: ChildArchitecture = {
    ...base,
    encoder: base.encoder.map((choice, level) =>
      level === 2 ? { ...choice, pool: { depth: 1 as const, plane: 2 as const } } : choice,
    ),
  };
  const network = networkOf(child, narrow);
  const label = labelOf([1, 6, 9, 7], 3);
  const logits = [chirp([1, 3, 6, 9, 7], 0), chirp([1, 3, 3, 5, 4], 1), chirp([1, 3, 3, 3, 2], 2)];

  /** Every `stride`-th voxel, by plain indexing. */
  function downsampled([byDepth, byHeight, byWidth]: readonly number[]): Tensor {
    const values = label.toNumbers();
    const kept = values.filter((_, i) => {
      const [z, y, x] = [Math.floor(i / 63), Math.floor(i / 7) % 9, i % 7];
      return z % byDepth === 0 && y % byHeight === 0 && x % byWidth === 0;
    });
    return tensor(Uint8Array.from(kept), [1, Math.ceil(6 / byDepth), Math.ceil(9 / byHeight), Math.ceil(7 / byWidth)]);
  }

  test('weighs the levels 4/7, 2/7 and 1/7, each against the label downsampled by its strides', () => {
    const strides = [
      [1, 1, 1],
      [2, 2, 2],
      [2, 4, 4],
    ];
    const parts = logits.map((scores, i) => composedLoss(single(scores), downsampled(strides[i])).item());
    const expected = (4 * parts[0] + 2 * parts[1] + parts[2]) / 7;
    expect(networkLoss(network, logits, label).item()).toBeCloseTo(expected, 5);
  });

  test('compares the voxel of each cell that a level names, or the one before that the last cell has too', () => {
    const scores = chirp([1, 3, 2, 3, 2], 2);
    const compare = (offset: Triple) =>
      networkLoss({ supervised: [{ stride: [3, 4, 4], offset, weight: 1 }] }, [scores], label).item();
    // Of 6, 9 and 7 voxels the last cells have 3, 1 and 3.
    expect(compare([1, 2, 2])).toBe(compare([1, 0, 2]));
    expect(compare([2, 0, 1])).not.toBe(compare([1, 0, 1]));
    const values = label.toNumbers();
    const kept = [1, 4].flatMap((z) => [0, 4, 8].flatMap((y) => [2, 6].map((x) => values[(z * 9 + y) * 7 + x])));
    const expected = composedLoss(single(scores), tensor(Uint8Array.from(kept), [1, 2, 3, 2])).item();
    expect(compare([1, 2, 2])).toBeCloseTo(expected, 5);
  });

  test('takes Dice over the batch as of one long volume', () => {
    const [first, second] = [chirp([1, 3, 2, 3, 4], 0), chirp([1, 3, 2, 3, 4], 5)];
    const [one, two] = [labelOf([1, 2, 3, 4], 3), labelOf([1, 2, 3, 4], 2)];
    const whole = composedLoss(single(concatenate([first, second], 2)), concatenate([one, two], 1)).item();
    const batch = [single(concatenate([first, second], 0)), concatenate([one, two], 0)] as const;
    for (const lossOf of [fusedLoss, composedLoss]) {
      expect(lossOf(...batch, { batchDice: true }).item()).toBeCloseTo(whole, 5);
      expect(Math.abs(lossOf(...batch).item() - whole)).toBeGreaterThan(1e-3);
    }
  });

  test('refuses logits of another resolution', () => {
    const wrong = [logits[0], logits[1], chirp([1, 3, 2, 3, 2], 2)];
    expect(() => networkLoss(network, wrong, label)).toThrow(/downsampled by 2, 4 and 4/);
  });
});
