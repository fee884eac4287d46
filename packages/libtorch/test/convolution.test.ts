import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contiguous,
  conv3d,
  convolution3d,
  detach,
  full,
  type MemoryFormat,
  multiply,
  pointwiseConvolution3d,
  randn,
  scope,
  setThreads,
  stridedConvolution3d,
  sumAll,
  type Tensor,
  tensor,
  to,
} from '../src/index.ts';

interface Case {
  readonly batch: number;
  readonly channels: readonly [number, number];
  readonly size: readonly [number, number, number];
  readonly dilation: number;
  /** Of the kernel. */
  readonly planes: number;
  readonly rows?: number;
  readonly columns?: number;
  readonly layout: MemoryFormat;
}

interface StridedCase extends Omit<Case, 'dilation'> {
  readonly stride: readonly [number, number, number];
}

type Operation = (input: Tensor, kernel: Tensor, dilation: number) => Tensor;
/** Half of the kernel on both sides, rounded down. */
const halves = (kernel: Tensor): readonly number[] => kernel.shape.slice(2).map((extent) => (extent - 1) / 2);
const libtorch: Operation = (input, kernel, dilation) =>
  conv3d(input, kernel, { padding: halves(kernel).map((half) => dilation * half), dilation });

/** Output and gradients of input and kernel. */
function run(operation: Operation, example: Case, dataType: 'float32' | 'float64'): readonly Float64Array[] {
  return scope(() => {
    const { batch, channels, size, dilation, planes, rows = 3, columns = 3, layout } = example;
    const wave = (shape: readonly number[], pace: number): Tensor => {
      const length = shape.reduce((product, extent) => product * extent, 1);
      // Rounded to float32 first, so that both precisions are given the same numbers.
      const values = Float32Array.from({ length }, (_, i) => Math.sin(pace * i * (1 + (i % 7))));
      return to(tensor(values, shape), { dataType });
    };
    const input = contiguous(wave([batch, channels[0], ...size], 1.3), { memoryFormat: layout });
    const kernel = wave([channels[1], channels[0], planes, rows, columns], 0.7);
    for (const leaf of [input, kernel]) leaf.requiresGradient = true;
    const output = operation(input, kernel, dilation);
    sumAll(multiply(output, wave(output.shape, 0.9))).backward();
    return [output, input.gradient, kernel.gradient].map((found) =>
      Float64Array.from(found ? to(found, { dataType: 'float64' }).toNumbers() : []),
    );
  });
}

/** Largest difference, as a share of the largest value. */
function difference(ours: Float64Array, exact: Float64Array): number {
  expect(ours.length).toBe(exact.length);
  const scale = exact.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-30);
  return ours.reduce((largest, value, i) => Math.max(largest, Math.abs(value - exact[i])), 0) / scale;
}

/** Of the same bfloat16 numbers, bfloat16 and float32 have to give the same output and gradients. */
function compareInBfloat16(
  { batch, channels, size, planes, rows = 3, columns = 3, layout }: Omit<Case, 'dilation'>,
  convolve: (input: Tensor, kernel: Tensor) => Tensor,
): void {
  scope(() => {
    const rounded = (shape: readonly number[]): Tensor =>
      to(randn(shape, { dataType: 'float32' }), { dataType: 'bfloat16' });
    const input = contiguous(rounded([batch, channels[0], ...size]), { memoryFormat: layout });
    const kernel = rounded([channels[1], channels[0], planes, rows, columns]);
    const direction = rounded(convolve(input, kernel).shape);
    const [exact, found] = (['float32', 'bfloat16'] as const).map((dataType) => {
      const leaves = [input, kernel].map((tensor) => detach(to(tensor, { dataType, copy: true })));
      for (const leaf of leaves) leaf.requiresGradient = true;
      const output = convolve(leaves[0], leaves[1]);
      sumAll(to(multiply(output, to(direction, { dataType })), { dataType: 'float32' })).backward();
      return [output, ...leaves.map(({ gradient }) => gradient)].map((tensor) =>
        Float64Array.from(tensor ? to(tensor, { dataType: 'float32' }).toNumbers() : []),
      );
    });
    found.forEach((values, part) => {
      expect(difference(values, exact[part])).toBeLessThan(2 ** -7);
    });
  });
}

const extent = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const edge = fc.constantFrom(1, 3);
const anyVolume = {
  batch: extent(1, 2),
  channels: fc.tuple(extent(1, 36), extent(1, 36)),
  size: fc.tuple(extent(1, 9), extent(1, 9), extent(1, 14)),
  planes: edge,
  layout: fc.constantFrom<MemoryFormat[]>('contiguous', 'channels_last_3d'),
};
const anyCase: fc.Arbitrary<Case> = fc.record({ ...anyVolume, dilation: extent(1, 4) });
const anyThinCase: fc.Arbitrary<Case> = fc.record({ ...anyVolume, dilation: extent(1, 4), rows: edge, columns: edge });
const anyStridedCase: fc.Arbitrary<StridedCase> = fc.record({
  ...anyVolume,
  rows: edge,
  columns: edge,
  stride: fc.tuple(extent(1, 3), extent(1, 3), extent(1, 3)),
});

describe('convolution3d', () => {
  it("equals libtorch's conv3d in float64, gradients included, whatever shape, dilation and layout", () => {
    fc.assert(
      fc.property(anyCase, (example) => {
        const exact = run(libtorch, example, 'float64');
        run(convolution3d, example, 'float32').forEach((values, part) => {
          expect(difference(values, exact[part])).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 80 },
    );
  });

  it('equals it with kernels that are thin along any axis', () => {
    fc.assert(
      fc.property(anyThinCase, (example) => {
        const exact = run(libtorch, example, 'float64');
        run(convolution3d, example, 'float32').forEach((values, part) => {
          expect(difference(values, exact[part])).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 40 },
    );
  });

  it.each<Case>([
    // More planes and rows than a piece of work holds, and channels of several blocks.
    { batch: 1, channels: [16, 16], size: [20, 40, 44], dilation: 1, planes: 3, layout: 'channels_last_3d' },
    { batch: 2, channels: [16, 40], size: [11, 70, 33], dilation: 3, planes: 3, layout: 'channels_last_3d' },
    { batch: 1, channels: [2, 16], size: [3, 90, 200], dilation: 2, planes: 3, layout: 'channels_last_3d' },
    { batch: 1, channels: [128, 128], size: [3, 4, 5], dilation: 1, planes: 3, layout: 'channels_last_3d' },
    { batch: 2, channels: [16, 40], size: [7, 70, 33], dilation: 3, planes: 1, layout: 'channels_last_3d' },
    { batch: 1, channels: [2, 16], size: [8, 90, 200], dilation: 1, planes: 1, layout: 'channels_last_3d' },
  ])('equals it for %j', (example) => {
    const exact = run(libtorch, example, 'float64');
    run(convolution3d, example, 'float32').forEach((values, part) => {
      // The price of fewer products: sums are rounded about five times as coarsely as by the plain convolution.
      expect(difference(values, exact[part])).toBeLessThan(5e-5);
    });
  });

  it.each([1, 3])('gives the same bits on any number of threads, by a kernel of %i planes', (planes) => {
    const example: Case = {
      batch: 1,
      channels: [5, 20],
      size: [9, 17, 21],
      dilation: 2,
      planes,
      layout: 'channels_last_3d',
    };
    const threads = [1, 2, 5].map((count) => {
      setThreads(count);
      return run(convolution3d, example, 'float32');
    });
    setThreads(1);
    expect(threads[1]).toEqual(threads[0]);
    expect(threads[2]).toEqual(threads[0]);
  });

  it('gives finite gradients in bfloat16 whatever the memory held before', () => {
    fc.assert(
      fc.property(anyCase, (example) =>
        scope(() => {
          full([50_000], Number.NaN, { dataType: 'float32' }).free();
          const { batch, channels, size, dilation, planes } = example;
          const leaf = (shape: readonly number[]): Tensor => {
            const values = to(randn(shape, { dataType: 'float32' }), { dataType: 'bfloat16' });
            values.requiresGradient = true;
            return values;
          };
          const [input, kernel] = [leaf([batch, channels[0], ...size]), leaf([channels[1], channels[0], planes, 3, 3])];
          sumAll(convolution3d(input, kernel, dilation)).backward();
          for (const { gradient } of [input, kernel]) {
            expect(gradient && Number.isFinite(sumAll(to(gradient, { dataType: 'float32' })).item())).toBe(true);
          }
        }),
      ),
      { numRuns: 100 },
    );
  });

  it.each([
    [16, 8, 256, 256],
    [16, 8, 100, 100],
    [16, 4, 128, 128],
    [16, 1, 256, 256],
    [16, 9, 256, 256],
    [16, 10, 96, 64],
    [16, 10, 256, 256],
    [32, 12, 256, 192],
    [16, 2, 200, 120],
    [32, 5, 64, 64],
    [64, 6, 64, 64],
    [128, 4, 48, 48],
    [128, 3, 32, 32],
    [128, 3, 16, 16],
    [128, 1, 16, 16],
    [64, 7, 16, 40],
  ])(
    'gives the gradient of float32 in bfloat16 with volumes of few planes or many rows: %i channels of %i x %i x %i voxels',
    (width, ...size) => {
      scope(() => {
        const volume = randn([2, width, ...size], { dataType: 'float32' });
        const weights = randn([width, width, 3, 3, 3], { dataType: 'float32' });
        const direction = randn([2, width, ...size], { dataType: 'float32' });
        const gradients = (['float32', 'bfloat16'] as const).map((dataType) => {
          const kernel = detach(to(weights, { dataType }));
          kernel.requiresGradient = true;
          sumAll(multiply(convolution3d(to(volume, { dataType }), kernel), to(direction, { dataType }))).backward();
          return Float64Array.from(kernel.gradient ? to(kernel.gradient, { dataType: 'float32' }).toNumbers() : []);
        });
        expect(difference(gradients[1], gradients[0])).toBeLessThan(0.02);
      });
    },
  );

  it('gives bfloat16 by kernels of three planes what float32 gives, but for the rounding, gradients included', () => {
    fc.assert(
      fc.property(fc.record({ ...anyVolume, planes: fc.constant(3) }), (example) =>
        compareInBfloat16(example, (input, kernel) => convolution3d(input, kernel)),
      ),
      { numRuns: 100 },
    );
  });

  it('gives bfloat16 by kernels of one plane what float32 gives, but for the rounding, gradients included', () => {
    const anyFlat = fc.record({ ...anyVolume, planes: fc.constant(1), dilation: extent(1, 4) });
    fc.assert(
      fc.property(anyFlat, (example) =>
        compareInBfloat16(example, (input, kernel) => convolution3d(input, kernel, example.dilation)),
      ),
      { numRuns: 100 },
    );
    for (const size of [
      [1, 256, 256],
      [9, 96, 80],
      [28, 64, 1],
      [5, 2, 130],
    ] as const) {
      const example: Case = { batch: 2, channels: [32, 40], size, dilation: 2, planes: 1, layout: 'channels_last_3d' };
      compareInBfloat16(example, (input, kernel) => convolution3d(input, kernel, 2));
    }
  });

  it('says what it cannot take', () => {
    const volume = tensor(new Float32Array(16), [1, 2, 2, 2, 2]);
    const kernel = tensor(new Float32Array(27), [1, 1, 3, 3, 3]);
    expect(() => convolution3d(volume, kernel)).toThrow(/the kernel must be \[out, 2, 3 or 1, 3, 3\]/);
    expect(() => convolution3d(kernel, kernel, 0)).toThrow(/dilation must be from 1/);
    expect(() => convolution3d(tensor(new Float32Array(4), [4]), kernel)).toThrow(/\[batch, channel, depth/);
  });
});

describe('stridedConvolution3d', () => {
  it('gives bfloat16 what float32 gives, but for the rounding, gradients included, whatever shape, stride and kernel', () => {
    const stride = fc.tuple(extent(1, 2), extent(1, 2), extent(1, 2));
    // Deep enough for bfloat16, and not.
    const size = fc.tuple(extent(1, 24), extent(1, 18), extent(1, 14));
    fc.assert(
      fc.property(fc.record({ ...anyVolume, size, rows: edge, columns: edge, stride }), ({ stride, ...example }) =>
        compareInBfloat16(example, (input, kernel) => stridedConvolution3d(input, kernel, stride)),
      ),
      { numRuns: 100 },
    );
  });

  it("equals libtorch's conv3d in float64, gradients included, whatever shape, stride and layout", () => {
    fc.assert(
      fc.property(anyStridedCase, ({ stride, ...example }) => {
        const exact = run(
          (input, kernel) => conv3d(input, kernel, { padding: halves(kernel), stride }),
          { ...example, dilation: 1 },
          'float64',
        );
        const strided: Operation = (input, kernel) => stridedConvolution3d(input, kernel, stride);
        run(strided, { ...example, dilation: 1 }, 'float32').forEach((values, part) => {
          expect(difference(values, exact[part])).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 80 },
    );
  });

  it('gives bfloat16 what float32 gives, but for the rounding', () => {
    scope(() => {
      const [volume, kernel] = [
        [2, 8, 5, 12, 9],
        [6, 8, 3, 3, 3],
      ].map((shape) => to(randn(shape, { dataType: 'float32' }), { dataType: 'bfloat16' }));
      const [exact, found] = (['float32', 'bfloat16'] as const).map((dataType) => {
        const [wide, leaf] = [volume, kernel].map((tensor) => detach(to(tensor, { dataType })));
        leaf.requiresGradient = true;
        const output = stridedConvolution3d(wide, leaf, [1, 2, 2]);
        expect([output.dataType, output.shape]).toEqual([dataType, [2, 6, 5, 6, 5]]);
        sumAll(to(output, { dataType: 'float32' })).backward();
        return [output, leaf.gradient].map((tensor) =>
          Float64Array.from(tensor ? to(tensor, { dataType: 'float32' }).toNumbers() : []),
        );
      });
      found.forEach((values, part) => {
        expect(difference(values, exact[part])).toBeLessThan(2 ** -7);
      });
    });
  });
});

describe('pointwiseConvolution3d', () => {
  it("equals libtorch's conv3d with a 1x1x1 kernel and a bias, gradients included", () => {
    const results = [
      pointwiseConvolution3d,
      (input: Tensor, weight: Tensor, bias: Tensor) => conv3d(input, weight, { bias }),
    ].map((operation) =>
      scope(() => {
        const input = tensor(
          Float32Array.from({ length: 240 }, (_, i) => Math.sin(i)),
          [2, 5, 2, 3, 4],
        );
        const kernel = tensor(
          Float32Array.from({ length: 15 }, (_, i) => Math.cos(i)),
          [3, 5, 1, 1, 1],
        );
        const bias = tensor(Float32Array.from([1, 2, 3]), [3]);
        for (const leaf of [input, kernel, bias]) leaf.requiresGradient = true;
        const output = operation(input, kernel, bias);
        sumAll(multiply(output, output)).backward();
        return [output, input.gradient, kernel.gradient, bias.gradient].map((found) => found?.toNumbers() ?? []);
      }),
    );
    results[0].forEach((values, part) => {
      expect(difference(Float64Array.from(values), Float64Array.from(results[1][part]))).toBeLessThan(1e-6);
    });
  });
});
