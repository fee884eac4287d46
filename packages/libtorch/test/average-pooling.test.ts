import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  averageAround3d,
  averagePool3d,
  averagePooling3d,
  contiguous,
  multiply,
  scope,
  sumAll,
  type Tensor,
  to,
} from '../src/index.ts';
import { largestDifference } from './differences.ts';
import { wave } from './wave.ts';

type Triple = readonly [number, number, number];

/** Shape, output and gradient of the input. */
function run(pool: (input: Tensor) => Tensor, shape: readonly number[]): readonly (readonly number[])[] {
  return scope(() => {
    const input = contiguous(wave(shape, 0), { memoryFormat: 'channels_last_3d' });
    input.requiresGradient = true;
    const output = pool(input);
    sumAll(multiply(output, wave(output.shape, 9))).backward();
    return [output.shape, output.toNumbers(), input.gradient?.toNumbers() ?? []];
  });
}

const triple = (max: number): fc.Arbitrary<Triple> => {
  const extent = fc.integer({ min: 1, max });
  return fc.tuple(extent, extent, extent);
};

it.each([
  ['that the stride divides', (cells: Triple, stride: Triple) => cells.map((count, axis) => count * stride[axis])],
  ['of any size', (cells: Triple, stride: Triple) => cells.map((extent, axis) => Math.max(extent, stride[axis]))],
])("equals libtorch's pooling that rounds up, gradient included: volumes %s", (_, sizeOf) => {
  fc.assert(
    fc.property(triple(6), triple(3), fc.integer({ min: 1, max: 9 }), (cells, stride, channels) => {
      const shape = [2, channels, ...sizeOf(cells, stride)];
      const theirs = run((input) => averagePool3d(input, stride, { stride, ceilMode: true }), shape);
      run((input) => averagePooling3d(input, stride), shape).forEach((values, part) => {
        expect(largestDifference(values, theirs[part])).toBeLessThan(1e-5);
      });
    }),
    { numRuns: 40 },
  );
});

it("equals libtorch's pooling around each voxel, gradient included", () => {
  fc.assert(
    fc.property(triple(6), fc.integer({ min: 1, max: 9 }), (more, channels) => {
      const shape = [2, channels, ...more.map((extent) => extent + 2)];
      const theirs = run((input) => averagePool3d(input, 3, { stride: 1, padding: 1, countIncludePad: false }), shape);
      run(averageAround3d, shape).forEach((values, part) => {
        expect(largestDifference(values, theirs[part])).toBeLessThan(1e-5);
      });
    }),
    { numRuns: 20 },
  );
});

it.each([
  ['cells that the stride divides', [4, 6, 8], (input: Tensor) => averagePooling3d(input, [2, 3, 2])],
  ['cells of any size', [5, 7, 9], (input: Tensor) => averagePooling3d(input, [2, 3, 2])],
  ['what is around each voxel', [1, 7, 9], averageAround3d],
] as const)('takes bfloat16 on a processor: %s', (_, size, pool) => {
  const inBfloat16 = (input: Tensor): Tensor =>
    to(pool(to(input, { dataType: 'bfloat16', memoryFormat: 'channels_last_3d' })), { dataType: 'float32' });
  const exact = run(pool, [2, 3, ...size]);
  run(inBfloat16, [2, 3, ...size]).forEach((values, part) => {
    expect(largestDifference(values, exact[part])).toBeLessThan(0.02);
  });
});

it('takes an axis that is shorter than the stride as one cell', () => {
  fc.assert(
    fc.property(triple(3), triple(3), (size, more) => {
      const stride = size.map((extent, axis) => extent + more[axis]);
      const found = scope(() => averagePooling3d(wave([1, 1, ...size], 0), stride).toNumbers());
      const values = scope(() => wave(size, 0).toNumbers());
      expect(found).toEqual([expect.closeTo(values.reduce((sum, value) => sum + value, 0) / values.length, 5)]);
    }),
  );
});

it('gives the last cell the mean of the voxels that there are', () => {
  const found = scope(() => averagePooling3d(wave([1, 1, 1, 1, 5], 0), [1, 1, 2]).toNumbers());
  const [first, second, third, fourth, fifth] = scope(() => wave([5], 0).toNumbers());
  expect(found).toEqual([(first + second) / 2, (third + fourth) / 2, fifth].map((value) => expect.closeTo(value, 6)));
});
