import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { activationFunction } from '../src/activations.ts';
import {
  type Activation,
  activationNames,
  addScalar,
  type BlockLayer,
  type BlockOptions,
  type Convolving,
  conv3d,
  convolutionBlock,
  convolutionBlockPlan,
  instanceNorm,
  memory,
  multiply,
  oneDnnTakesBfloat16,
  scope,
  sumAll,
  type Tensor,
} from '../src/index.ts';
import type * as Interleavings from '../src/interleaving.ts';
import { largestDifference } from './differences.ts';
import { extent, leaf, numbers, wave } from './interleaved.ts';

const { interleavingFor } = vi.hoisted(() => ({ interleavingFor: vi.fn<typeof Interleavings.interleavingFor>() }));
vi.mock('../src/interleaving.ts', async (original) => ({ ...(await original<object>()), interleavingFor }));
const actual = await vi.importActual<typeof Interleavings>('../src/interleaving.ts');

beforeEach(() => {
  interleavingFor.mockImplementation(actual.interleavingFor);
});

/** As in bfloat16, which few processors convolve, but in float32, in which numbers can be compared; and however small a volume is. */
const interleaveAlways = (): void => {
  interleavingFor.mockImplementation(({ dilation, size }) => ({ dilation, size }));
};

/** By libtorch's own operations, which dilate. */
function composed(input: Tensor, layers: readonly BlockLayer[], { dilation, activation }: BlockOptions): Tensor {
  return layers.reduce((before, { kernel, scale, shift }) => {
    const padding = [kernel.shape[2] === 3 ? dilation : 0, dilation, dilation];
    const statistics = { useInputStats: true, momentum: 0.1, epsilon: 1e-5, cudnnEnabled: false };
    const convolved = conv3d(before, kernel, { padding, dilation });
    return activationFunction(activation).apply(instanceNorm(convolved, { weight: scale, bias: shift, ...statistics }));
  }, input);
}

interface Example extends BlockOptions {
  readonly batch: number;
  /** Of the input and of both layers. */
  readonly channels: readonly [number, number];
  readonly size: readonly [number, number, number];
  readonly planes: number;
}

const anyExample: fc.Arbitrary<Example> = fc.record({
  batch: extent(1, 2),
  channels: fc.tuple(extent(1, 9), extent(1, 20)),
  size: fc.tuple(extent(3, 7), extent(3, 8), extent(3, 11)),
  planes: fc.constantFrom(3, 1),
  dilation: extent(1, 3),
  // Of a slope without a jump, where rounding could change the gradient at will.
  activation: fc.constant('elu'),
});

/** Of the input and two layers, of an example. */
function made({ batch, channels: [from, width], size, planes }: Example, dataType: 'float32' | 'float64') {
  const input = leaf(wave([batch, from, ...size], 1.3, dataType));
  const layers = [from, width].map((count, i) => ({
    kernel: leaf(wave([width, count, planes, 3, 3], 0.7 + i / 10, dataType)),
    scale: leaf(addScalar(wave([width], 0.4 + i / 5, dataType), 1.5)),
    shift: leaf(wave([width], 0.5 + i / 3, dataType)),
  }));
  return { input, layers };
}

/** The result and the gradients of everything. */
function run(block: typeof convolutionBlock, example: Example, dataType: 'float32' | 'float64'): readonly number[][] {
  return scope(() => {
    const { input, layers } = made(example, dataType);
    const output = block(input, layers, example);
    sumAll(multiply(output, wave(output.shape, 0.9, dataType))).backward();
    const leaves = [input, ...layers.flatMap(({ kernel, scale, shift }) => [kernel, scale, shift])];
    return [numbers(output), ...leaves.map(({ gradient }) => numbers(gradient))];
  });
}

function expectLibtorchs(example: Example): void {
  const exact = run(composed, example, 'float64');
  const theirs = run(composed, example, 'float32');
  run(convolutionBlock, example, 'float32').forEach((values, part) => {
    const scale = exact[part].reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
    const error = (found: readonly number[]): number => largestDifference(found, exact[part]) / scale;
    // Terms of a single channel's gradient may cancel: float32 leaves little of it then, in libtorch's own block, too, and Winograd's
    // sums are coarser. What is wrong is so by a tenth or more.
    expect(error(values)).toBeLessThan(Math.max(1e-3, 16 * error(theirs[part])));
  });
}

describe('convolutionBlock', () => {
  const example: Example = {
    batch: 1,
    channels: [2, 3],
    size: [4, 5, 6],
    planes: 3,
    dilation: 2,
    activation: 'elu',
  };

  it("equals libtorch's dilated convolutions, norms and activations in float64, gradients included", () => {
    fc.assert(fc.property(anyExample, expectLibtorchs), { numRuns: 40 });
  });

  it.each(activationNames)('equals them with %s', (activation) => {
    expectLibtorchs({ ...example, activation });
  });

  it('equals them interleaved, however small the volume is', () => {
    interleaveAlways();
    const isThick = ({ planes }: Example): boolean => planes === 3;
    fc.assert(fc.property(anyExample.filter(isThick), expectLibtorchs), { numRuns: 40 });
  });

  it('interleaves once for all layers, which are undilated then', () => {
    interleaveAlways();
    interleavingFor.mockClear();
    run(convolutionBlock, example, 'float32');
    expect(interleavingFor.mock.calls.map(([{ size, dilation }]) => [size, dilation])).toEqual([[[4, 5, 6], 2]]);
  });

  it('leaves its result alone alive', () => {
    interleaveAlways();
    scope(() => {
      const { input, layers } = made(example, 'float32');
      const before = memory().tensors;
      const output = scope(() => convolutionBlock(input, layers, example));
      expect(memory().tensors).toBe(before + 1);
      expect(output.shape).toEqual([1, 3, 4, 5, 6]);
    });
  });
});

describe('convolutionBlockPlan', () => {
  const block: Convolving & { readonly activation: Activation } = {
    size: [12, 20, 21],
    planes: 3,
    dilation: 2,
    dataType: 'bfloat16',
    device: 'cpu',
    activation: 'leaky_relu',
  };
  const sound = oneDnnTakesBfloat16();
  const inBfloat16 = sound ? 'bfloat16' : 'float32';

  it('interleaves dilated bfloat16 for oneDNN, where the processor has units for it', () => {
    const dilation = sound ? 2 : 1;
    expect(convolutionBlockPlan({ ...block, size: [6, 20, 21] })).toEqual({
      interleaving: { dilation, size: [6, 20, 21] },
      convolutionType: inBfloat16,
    });
  });

  it('computes in float32 what oneDNN must not: dilated kernels, where sub-volumes would be too thin', () => {
    const { interleaving, convolutionType } = convolutionBlockPlan({ ...block, size: [4, 20, 21] });
    expect([interleaving.dilation, convolutionType]).toEqual([1, 'float32']);
  });

  it('leaves kernels of one plane to oneDNN, whatever the volume and the dilation', () => {
    const { interleaving, convolutionType } = convolutionBlockPlan({ ...block, planes: 1, size: [1, 20, 21] });
    expect([interleaving.dilation, convolutionType]).toEqual([1, inBfloat16]);
  });

  it('leaves to it all volumes by kernels that are not dilated, and those so thin that one plane of a kernel meets them', () => {
    const typeOf = (depth: number, dilation: number) =>
      convolutionBlockPlan({ ...block, dilation, size: [depth, 20, 21] }).convolutionType;
    expect([1, 2, 3, 12].map((depth) => typeOf(depth, 1))).toEqual(Array(4).fill(inBfloat16));
    expect([1, 2, 3].map((depth) => typeOf(depth, 2))).toEqual([inBfloat16, inBfloat16, 'float32']);
  });

  it.each<[string, Partial<Convolving>]>([
    ['float32', { dataType: 'float32' }],
    ['what a GPU computes', { device: 'cuda' }],
    ['float16 of a GPU', { device: 'cuda:1', dataType: 'float16' }],
  ])('leaves as it is: %s', (_, change) => {
    const described = { ...block, ...change };
    expect(convolutionBlockPlan(described)).toEqual({
      interleaving: { dilation: 1, size: block.size },
      convolutionType: described.dataType,
    });
  });

  it('leaves undilated volumes as they are', () => {
    expect(convolutionBlockPlan({ ...block, dilation: 1 })).toEqual({
      interleaving: { dilation: 1, size: block.size },
      convolutionType: inBfloat16,
    });
  });
});
