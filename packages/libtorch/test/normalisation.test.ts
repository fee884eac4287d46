import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { activationFunction } from '../src/activations.ts';
import {
  type Activation,
  activationNames,
  type DataType,
  multiply,
  normalise,
  normaliseAndActivate,
  scope,
  sumAll,
  type Tensor,
  tensor,
  to,
} from '../src/index.ts';
import { largestDifference, meanDifference } from './differences.ts';
import { composedNorm } from './instance-norm.ts';

type Operation = (input: Tensor, scale: Tensor, shift: Tensor, activation: Activation | undefined) => Tensor;

const ours: Operation = (input, scale, shift, activation) =>
  activation === undefined ? normalise(input, scale, shift) : normaliseAndActivate(input, scale, shift, activation);

/** The same by libtorch's own operations. */
const composed: Operation = (input, scale, shift, activation) => {
  const normalised = composedNorm(input, scale, shift);
  return activation === undefined ? normalised : activationFunction(activation).apply(normalised);
};

const { hasFusedKernels } = vi.hoisted(() => ({ hasFusedKernels: vi.fn(() => true) }));
vi.mock('../src/kernels.ts', async (original) => ({ ...(await original<object>()), hasFusedKernels }));
afterEach(() => {
  hasFusedKernels.mockReset();
  hasFusedKernels.mockReturnValue(true);
});

type Layout = 'contiguous' | 'channels_last_3d';

interface Case {
  readonly shape: readonly [number, number, number, number, number];
  /** None: the norm alone. */
  readonly activation: Activation | undefined;
  readonly layout: Layout;
  /** Of the gradient that comes back. */
  readonly upstreamLayout: Layout;
}

const channelsLast = { layout: 'channels_last_3d', upstreamLayout: 'channels_last_3d' } as const;

/** The same, with a gradient in the layout with which libtorch's instance norm is right for every batch on a processor. */
const plainly = (example: Case): Case => ({ ...example, upstreamLayout: 'contiguous' });

/** Output and gradients of input, scale and shift, as numbers. */
function run(
  operation: Operation,
  { shape, activation, layout, upstreamLayout }: Case,
  dataType: DataType,
): readonly number[][] {
  return scope(() => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const values = (wave: (index: number) => number, length: number): Float32Array =>
      Float32Array.from({ length }, (_, i) => wave(i));
    const input = to(
      tensor(
        values((i) => 2 * Math.sin(1.3 * i * i) + 0.5, size),
        shape,
      ),
      { dataType, copy: true, memoryFormat: layout },
    );
    const scale = tensor(
      values((i) => 1 + i / 50, shape[1]),
      [shape[1]],
    );
    const shift = tensor(
      values((i) => i / 30 - 0.2, shape[1]),
      [shape[1]],
    );
    for (const leaf of [input, scale, shift]) leaf.requiresGradient = true;
    const output = operation(input, scale, shift, activation);
    const upstream = to(
      tensor(
        values((i) => Math.cos(0.7 * i), size),
        shape,
      ),
      { dataType, copy: true, memoryFormat: upstreamLayout },
    );
    sumAll(multiply(output, upstream)).backward();
    return [output, input.gradient, scale.gradient, shift.gradient].map((found) =>
      found ? to(found, { dataType: 'float32' }).toNumbers() : [],
    );
  });
}

const extent = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
// At least 27 voxels: of fewer, float32 knows the deviation less well than the two are compared.
const anyCase: fc.Arbitrary<Case> = fc.record({
  shape: fc.tuple(extent(1, 3), extent(1, 40), extent(3, 6), extent(3, 6), extent(3, 6)),
  activation: fc.constantFrom(...activationNames, undefined),
  layout: fc.constantFrom('contiguous', 'channels_last_3d'),
  upstreamLayout: fc.constantFrom('contiguous', 'channels_last_3d'),
});

describe('normaliseAndActivate', () => {
  it.each([
    ['fused', true],
    ["by libtorch's operations", false],
  ])(
    "%s, equals libtorch's instance norm and activation, gradients included, whatever shape and layout",
    (_, fused) => {
      hasFusedKernels.mockReturnValue(fused);
      fc.assert(
        fc.property(anyCase, (example) => {
          const found = run(ours, example, 'float32');
          const theirs = run(composed, plainly(example), 'float32');
          found.forEach((values, part) => {
            expect(largestDifference(values, theirs[part])).toBeLessThan(2e-4);
          });
        }),
        { numRuns: 60 },
      );
    },
  );

  it('equals them over more voxels than one piece of work holds', () => {
    const example: Case = { shape: [2, 16, 20, 21, 22], activation: 'leaky_relu', ...channelsLast };
    const theirs = run(composed, plainly(example), 'float32');
    run(ours, example, 'float32').forEach((values, part) => {
      expect(largestDifference(values, theirs[part])).toBeLessThan(1e-4);
    });
  });

  it.each([...activationNames, undefined])(
    'in bfloat16 is no further from float32 than they are, with %s',
    (activation) => {
      const example: Case = { shape: [2, 24, 5, 6, 7], activation, ...channelsLast };
      const exact = run(composed, plainly(example), 'float32');
      const theirs = run(composed, plainly(example), 'bfloat16');
      run(ours, example, 'bfloat16').forEach((values, part) => {
        expect(meanDifference(values, exact[part])).toBeLessThan(1.05 * meanDifference(theirs[part], exact[part]));
      });
    },
  );

  it('says what it cannot take', () => {
    const volume = tensor(new Float32Array(8), [1, 1, 2, 2, 2]);
    const two = tensor(new Float32Array(2), [2]);
    expect(() => normaliseAndActivate(volume, two, two, 'relu')).toThrow(/a value for each of the 1 channels/);
    expect(() => normaliseAndActivate(two, two, two, 'relu')).toThrow(/\[batch, channel, depth, height, width\]/);
  });
});
