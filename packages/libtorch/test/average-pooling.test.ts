import fc from 'fast-check';
import { expect, it } from 'vitest';
import { averagePool3d, averagePooling3d, contiguous, multiply, scope, sumAll, type Tensor } from '../src/index.ts';
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
