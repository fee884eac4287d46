import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  type DataType,
  multiply,
  narrow,
  scope,
  sumAll,
  type Tensor,
  to,
  upsampleAndAdd,
  upsampleTrilinear3d,
} from '../src/index.ts';
import { largestDifference, meanDifference, withThreads } from './differences.ts';
import { wave } from './wave.ts';

type Triple = readonly [number, number, number];
type Layout = 'contiguous' | 'channels_last_3d';

interface Case {
  readonly batch: number;
  readonly channels: number;
  readonly from: Triple;
  readonly stride: Triple;
  /** Voxels left out at the far end of each axis, at most one less than the stride. */
  readonly cut: Triple;
  readonly addends: number;
  readonly layout: Layout;
}

/** The same by libtorch's own operations. */
function composed(volume: Tensor, stride: Triple, size: readonly number[], addends: readonly Tensor[]): Tensor {
  const scaled = stride.map((step, axis) => step * volume.shape[axis + 2]);
  const upsampled = size.reduce(
    (result, extent, axis) => narrow(result, axis + 2, 0, extent),
    upsampleTrilinear3d(volume, scaled, false),
  );
  return addends.reduce((sum, addend) => add(sum, addend), upsampled);
}

/** Output and gradients of the volume and of the addends, as numbers. */
function run(operation: typeof composed, example: Case, dataType: DataType): readonly number[][] {
  const { batch, channels, from, stride, cut, layout } = example;
  return scope(() => {
    const leaf = (shape: readonly number[], phase: number): Tensor => {
      const made = to(wave(shape, phase), { dataType, copy: true, memoryFormat: layout });
      made.requiresGradient = true;
      return made;
    };
    const size = from.map((extent, axis) => extent * stride[axis] - (cut[axis] % stride[axis]));
    const volume = leaf([batch, channels, ...from], 0);
    const addends = Array.from({ length: example.addends }, (_, i) => leaf([batch, channels, ...size], i + 1));
    const output = operation(volume, stride, size, addends);
    sumAll(multiply(output, wave(output.shape, 9, dataType))).backward();
    return [output, volume.gradient, ...addends.map(({ gradient }) => gradient)].map((found) =>
      found ? to(found, { dataType: 'float32' }).toNumbers() : [],
    );
  });
}

const extent = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const step = fc.constantFrom(1, 1, 2, 2, 3, 4, 8);
const anyCase: fc.Arbitrary<Case> = fc.record({
  batch: extent(1, 3),
  channels: extent(1, 40),
  from: fc.tuple(extent(1, 3), extent(1, 3), extent(1, 4)),
  stride: fc.tuple(step, step, fc.constantFrom(1, 2, 3, 4)),
  cut: fc.tuple(extent(0, 7), extent(0, 7), extent(0, 7)),
  addends: extent(0, 3),
  layout: fc.constantFrom<Layout>('contiguous', 'channels_last_3d'),
});
const large: Case = {
  batch: 2,
  channels: 16,
  from: [5, 6, 10],
  stride: [2, 2, 2],
  cut: [1, 0, 1],
  addends: 2,
  layout: 'channels_last_3d',
};

describe('upsampleAndAdd', () => {
  it("equals libtorch's upsampling, cut and sum, gradients included, whatever shape, strides and layout", () => {
    fc.assert(
      fc.property(anyCase, (example) => {
        // A gradient is a sum of up to 8 x 8 x 4 values and more: float32's own rounding is of the size of the bound.
        const theirs = run(composed, example, 'float64');
        run(upsampleAndAdd, example, 'float32').forEach((values, part) => {
          expect(largestDifference(values, theirs[part])).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('equals them for strides of 16 and more voxels than one piece of work holds', () => {
    for (const example of [large, { ...large, batch: 1, from: [1, 2, 3], stride: [16, 16, 16] } as const]) {
      const theirs = run(composed, example, 'float32');
      run(upsampleAndAdd, example, 'float32').forEach((values, part) => {
        expect(largestDifference(values, theirs[part])).toBeLessThan(1e-5);
      });
    }
  });

  it('in bfloat16 is no further from float32 than they are', () => {
    for (const example of [large, { ...large, channels: 21, stride: [1, 2, 3], cut: [0, 1, 2] } as const]) {
      const exact = run(composed, example, 'float32');
      const theirs = run(composed, example, 'bfloat16');
      run(upsampleAndAdd, example, 'bfloat16').forEach((values, part) => {
        expect(meanDifference(values, exact[part])).toBeLessThan(
          1.05 * meanDifference(theirs[part], exact[part]) + 1e-9,
        );
      });
    }
  });

  it('gives the same bits for any number of threads', () => {
    const [one, two] = [1, 2].map((count) => withThreads(count, () => run(upsampleAndAdd, large, 'float32')));
    expect(two).toEqual(one);
  });

  it('gives the volume itself where there is nothing to do', () => {
    const volume = wave([1, 2, 2, 2, 2], 0);
    expect(upsampleAndAdd(volume, [1, 1, 1], [2, 2, 2])).toBe(volume);
  });

  it('says what it cannot take', () => {
    const volume = wave([1, 2, 2, 3, 4], 0);
    const flat = wave([2, 2], 0);
    const byTwo = (size: Triple, addends: readonly Tensor[] = []) => upsampleAndAdd(volume, [2, 2, 2], size, addends);
    expect(() => byTwo([5, 6, 8])).toThrow(/a stride of 2 makes no size of 5 from 2/);
    expect(() => byTwo([2, 6, 8])).toThrow(/a stride of 2 makes no size of 2 from 2/);
    expect(() => upsampleAndAdd(volume, [0, 2, 2], [2, 6, 8])).toThrow(/a stride of 0/);
    expect(() => upsampleAndAdd(volume, [2, 2], [4, 6])).toThrow(/depth, height and width/);
    expect(() => byTwo([4, 6, 8], [volume])).toThrow(/an addend must have the result's shape \[1, 2, 4, 6, 8\]/);
    expect(() => byTwo([4, 6, 8], [to(wave([1, 2, 4, 6, 8], 0), { dataType: 'bfloat16' })])).toThrow(
      /input's data type/,
    );
    expect(() => upsampleAndAdd(flat, [2, 2, 2], [4, 4, 4])).toThrow(/\[batch, channel, depth, height, width\]/);
    expect(() => upsampleAndAdd(to(volume, { dataType: 'float64' }), [2, 2, 2], [4, 6, 8])).toThrow(
      /float32 or bfloat16/,
    );
  });
});
