import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  contiguous,
  convTranspose3d,
  layOutKernel,
  type MemoryFormat,
  multiply,
  scope,
  sumAll,
  type Tensor,
  transposedConvolution3d,
} from '../src/index.ts';
import { largestDifference } from './differences.ts';
import { wave } from './wave.ts';

interface Case {
  readonly batch: number;
  readonly channels: readonly [number, number];
  readonly size: readonly [number, number, number];
  readonly cell: readonly [number, number, number];
  readonly hasBias: boolean;
  readonly layout: MemoryFormat;
}

type Operation = typeof transposedConvolution3d;
const libtorch: Operation = (input, kernel, bias) =>
  convTranspose3d(input, kernel, { bias, stride: kernel.shape.slice(2) });

/** Shape, output and gradients of input, kernel and bias. */
function run(
  operation: Operation,
  { batch, channels, size, cell, hasBias, layout }: Case,
): readonly (readonly number[])[] {
  return scope(() => {
    const input = contiguous(wave([batch, channels[0], ...size], 0), { memoryFormat: layout });
    const kernel = layOutKernel(wave([...channels, ...cell], 1));
    const leaves: Tensor[] = [input, kernel, ...(hasBias ? [wave([channels[1]], 2)] : [])];
    for (const leaf of leaves) leaf.requiresGradient = true;
    const output = operation(input, kernel, leaves[2]);
    sumAll(multiply(output, wave(output.shape, 9))).backward();
    return [
      output.shape,
      ...[output, ...leaves.map(({ gradient }) => gradient)].map((found) => found?.toNumbers() ?? []),
    ];
  });
}

const extent = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const anyCase: fc.Arbitrary<Case> = fc.record({
  batch: extent(1, 2),
  channels: fc.tuple(extent(1, 9), extent(1, 9)),
  size: fc.tuple(extent(1, 5), extent(1, 5), extent(1, 5)),
  cell: fc.tuple(extent(1, 3), extent(1, 3), extent(1, 3)),
  hasBias: fc.boolean(),
  layout: fc.constantFrom('contiguous', 'channels_last_3d'),
});

it("equals libtorch's transposed convolution of that stride, gradients included, whatever shape, cell and layout", () => {
  fc.assert(
    fc.property(anyCase, (example) => {
      const theirs = run(libtorch, example);
      run(transposedConvolution3d, example).forEach((values, part) => {
        expect(largestDifference(values, theirs[part])).toBeLessThan(2e-5);
      });
    }),
    { numRuns: 60 },
  );
});

it('leaves its result in channels_last_3d', () => {
  const strides = scope(() => transposedConvolution3d(wave([1, 3, 2, 2, 2], 0), wave([3, 5, 2, 2, 2], 1)).strides);
  expect(strides).toEqual([320, 1, 80, 20, 5]);
});
