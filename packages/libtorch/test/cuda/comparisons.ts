import { describe, expect, it } from 'vitest';
import {
  absolute,
  add,
  argmax,
  argmaxLabels,
  confusionMatrix,
  copyInPlace,
  type DataType,
  type Device,
  elu,
  empty,
  flatten,
  fusedDiceCrossEntropy,
  leakyRelu,
  maximumAll,
  multiply,
  narrow,
  normalise,
  normaliseAndActivate,
  permute,
  relu,
  scope,
  subtract,
  sumAll,
  type Tensor,
  tensor,
  to,
  upsampleAndAdd,
  upsampleTrilinear3d,
  view,
} from '../../src/index.ts';
import { composedNorm } from '../instance-norm.ts';
import { composedLoss } from './composed-loss.ts';

type Operation = (...leaves: readonly Tensor[]) => Tensor;
type Layout = 'contiguous' | 'channels_last_3d' | 'misaligned';
type Triple = readonly [number, number, number];
type Shape = readonly [number, number, number, number, number];

const dataTypes = ['float32', 'bfloat16', 'float16'] as const;
/** Of the largest value. bfloat16 has 8 bits and float16 has 11, the last of which is rounded; float32 sums are rounded many times. */
const tolerance = { float32: 1e-5, bfloat16: 8e-3, float16: 1e-3 } as const;
type Narrow = (typeof dataTypes)[number];

const product = (shape: readonly number[]): number => shape.reduce((result, extent) => result * extent, 1);

/** Values in no order, with a mean that is not 0. */
function wild(shape: readonly number[], phase: number): Tensor {
  const values = Float32Array.from(
    { length: product(shape) },
    (_, i) => 0.3 + Math.sin(phase + 1.3 * i * (1 + (i % 7))),
  );
  return tensor(values, shape);
}

/** Where a volume's values begin in memory such that no two of them can be read at once. */
function misaligned(volume: Tensor): Tensor {
  const [batch, channels, depth, height, width] = volume.shape;
  const room = empty([product(volume.shape) + 1], { dataType: volume.dataType, device: volume.device });
  const moved = narrow(room, 0, 1, product(volume.shape));
  copyInPlace(moved, flatten(permute(volume, [0, 2, 3, 4, 1])));
  return permute(view(moved, [batch, depth, height, width, channels]), [0, 4, 1, 2, 3]);
}

function layOut(volume: Tensor, layout: Layout): Tensor {
  if (layout === 'misaligned') return misaligned(volume);
  return to(volume, { dataType: volume.dataType, copy: true, memoryFormat: layout });
}

const numbers = (found: Tensor): readonly number[] => to(found, { dataType: 'float64', device: 'cpu' }).toNumbers();

/** A result, and the gradients of its sum weighted by other values, of all leaves. */
function results(operation: Operation, leaves: readonly Tensor[], dataType: DataType): readonly Tensor[] {
  for (const leaf of leaves) {
    leaf.clearGradient();
    leaf.requiresGradient = true;
  }
  const output = operation(...leaves);
  const weights = to(to(wild(output.shape, 9), { dataType }), { dataType: output.dataType, device: output.device });
  sumAll(multiply(output, weights)).backward();
  return [output, ...leaves.map(({ gradient }) => gradient)].map((found) => {
    if (!found) throw new Error('A leaf has no gradient.');
    return to(found, { dataType: 'float64' });
  });
}

/** Largest difference, as a share of the largest value. */
function difference(ours: Tensor, exact: Tensor): number {
  expect(ours.shape).toEqual(exact.shape);
  const largest = (volume: Tensor): number => maximumAll(absolute(volume)).item();
  return largest(subtract(ours, exact)) / Math.max(largest(exact), 1e-30);
}

/** Every fused operation on a device against libtorch's own in float64 there, gradients included. */
export function compareFusedOperations(device: Device, large?: Shape): void {
  /** Volumes are of the data type and layout, what is per channel is float32; the exact ones have the same numbers. */
  function compare(
    dataType: Narrow,
    layout: Layout,
    shapes: readonly (readonly number[])[],
    ours: Operation,
    exact: Operation,
  ): void {
    scope(() => {
      const rounded = shapes.map((shape, i) =>
        to(wild(shape, i), { dataType: shape.length === 5 ? dataType : 'float32', device }),
      );
      const leaves = rounded.map((one) =>
        one.shape.length === 5 ? layOut(one, layout) : to(one, { dataType: 'float32', copy: true }),
      );
      const wanted = results(
        exact,
        rounded.map((one) => to(one, { dataType: 'float64' })),
        dataType,
      );
      const found = results(ours, leaves, dataType);
      // Sums are added in the same order every time.
      const again = results(ours, leaves, dataType);
      found.forEach((part, i) => {
        expect(difference(part, wanted[i])).toBeLessThanOrEqual(tolerance[dataType]);
        expect(difference(again[i], part)).toBe(0);
      });
    });
  }

  const activations = { relu, leaky_relu: (z: Tensor) => leakyRelu(z), elu } as const;

  describe.each(dataTypes)('in %s', (dataType) => {
    const norms: readonly { readonly shape: Shape; readonly layout: Layout }[] = [
      { shape: [2, 16, 5, 6, 7], layout: 'channels_last_3d' },
      { shape: [3, 21, 4, 5, 3], layout: 'contiguous' },
      { shape: [2, 8, 5, 6, 7], layout: 'misaligned' },
      { shape: [1, 4, 14, 15, 31], layout: 'channels_last_3d' },
      { shape: [1, 1028, 3, 3, 3], layout: 'channels_last_3d' },
      { shape: [1, 1, 3, 4, 5], layout: 'contiguous' },
    ];
    it.each(norms)('instance norm and activations of $shape, $layout', ({ shape, layout }) => {
      for (const activation of ['relu', 'leaky_relu', 'elu'] as const)
        compare(
          dataType,
          layout,
          [shape, [shape[1]], [shape[1]]],
          (x, scale, shift) => normaliseAndActivate(x, scale, shift, activation),
          (x, scale, shift) => activations[activation](composedNorm(x, scale, shift)),
        );
      compare(dataType, layout, [shape, [shape[1]], [shape[1]]], normalise, composedNorm);
    });

    const upsamplings: readonly {
      readonly channels: number;
      readonly from: Triple;
      readonly stride: Triple;
      readonly size: Triple;
      readonly addends: number;
      readonly layout: Layout;
    }[] = [
      { channels: 16, from: [3, 4, 5], stride: [2, 2, 2], size: [6, 7, 9], addends: 1, layout: 'channels_last_3d' },
      { channels: 21, from: [4, 5, 6], stride: [1, 2, 3], size: [4, 10, 17], addends: 2, layout: 'contiguous' },
      { channels: 8, from: [2, 3, 3], stride: [2, 4, 4], size: [3, 12, 9], addends: 0, layout: 'misaligned' },
      {
        channels: 4,
        from: [1, 2, 3],
        stride: [16, 16, 16],
        size: [16, 31, 40],
        addends: 0,
        layout: 'channels_last_3d',
      },
      { channels: 3, from: [2, 2, 1], stride: [5, 7, 1], size: [10, 8, 1], addends: 1, layout: 'channels_last_3d' },
      { channels: 4, from: [3, 4, 5], stride: [1, 1, 1], size: [3, 4, 5], addends: 2, layout: 'channels_last_3d' },
      { channels: 4, from: [1, 2, 2], stride: [2, 2, 2], size: [2, 3, 4], addends: 9, layout: 'channels_last_3d' },
    ];
    it.each(upsamplings)(
      'upsampling of $from by $stride to $size with $addends addends, $layout',
      ({ channels, from, stride, size, addends, layout }) => {
        const whole = from.map((extent, axis) => extent * stride[axis]);
        compare(
          dataType,
          layout,
          [[2, channels, ...from], ...Array.from({ length: addends }, () => [2, channels, ...size])],
          (volume, ...others) => upsampleAndAdd(volume, stride, size, others),
          (volume, ...others) => {
            const cut = size.reduce(
              (result, extent, axis) => narrow(result, axis + 2, 0, extent),
              upsampleTrilinear3d(volume, whole, false),
            );
            return others.reduce((sum, other) => add(sum, other), cut);
          },
        );
      },
    );

    it('sums are rounded as libtorch rounds them, NaN and infinity included', () => {
      scope(() => {
        const shape = [1, 4, 7, 8, 9];
        const [one, other] = [0, 1].map((phase) => {
          const values = wild(shape, phase).toNumbers();
          if (phase === 1) values.splice(0, 3, Number.NaN, Number.POSITIVE_INFINITY, -1e38);
          return layOut(to(tensor(Float32Array.from(values), shape), { dataType, device }), 'channels_last_3d');
        });
        expect(numbers(upsampleAndAdd(one, [1, 1, 1], [7, 8, 9], [other]))).toEqual(numbers(add(one, other)));
      });
    });

    const [none, some] = [
      [0, 0, 0, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 1, 1, 2, 1, 0],
    ];
    it.each([
      { classes: 3, size: [13, 14, 15], layout: 'channels_last_3d', offsets: none, batchDice: false },
      { classes: 2, size: [5, 6, 7], layout: 'contiguous', offsets: none, batchDice: false },
      { classes: 19, size: [5, 6, 7], layout: 'channels_last_3d', offsets: none, batchDice: false },
      { classes: 150, size: [1, 2, 3], layout: 'contiguous', offsets: none, batchDice: false },
      { classes: 3, size: [12, 14, 15], layout: 'channels_last_3d', offsets: some, batchDice: false },
      { classes: 4, size: [5, 6, 7], layout: 'contiguous', offsets: some, batchDice: true },
      { classes: 150, size: [1, 2, 3], layout: 'channels_last_3d', offsets: none, batchDice: true },
    ] as const)(
      'loss of $classes classes, $size, $layout, from $offsets on, batch Dice $batchDice',
      ({ classes, size, layout, offsets, batchDice }) => {
        const strides = [1, 1, 1, 1, 2, 2, 4, 3, 1];
        const weights = [0.6, 0.3, 0.1];
        const label = labelOf([2, ...size], classes);
        const sizeOf = (level: number): readonly number[] =>
          size.map((extent, axis) => Math.ceil((extent - offsets[3 * level + axis]) / strides[3 * level + axis]));
        compare(
          dataType,
          layout,
          weights.map((_, level) => [2, classes, ...sizeOf(level)]),
          (...levels) => fusedDiceCrossEntropy(levels, label, strides, weights, { offsets, batchDice }),
          (...levels) => composedLoss(levels, label, strides, weights, { offsets, batchDice }),
        );
      },
    );

    it.each([
      [[2, 3, 5, 6, 7], 'channels_last_3d'],
      [[1, 256, 2, 3, 4], 'contiguous'],
    ] as const)('argmax of %j, %s: the first of equal values, and NaN', (shape, layout) => {
      scope(() => {
        const values = Float32Array.from({ length: product(shape) }, (_, i) =>
          i % 11 === 0 ? Number.NaN : Math.round(3 * Math.sin(1.7 * i * i)),
        );
        const logits = layOut(to(tensor(values, shape), { dataType, device }), layout);
        expect(numbers(argmaxLabels(logits))).toEqual(numbers(argmax(logits, 1)));
      });
    });
  });

  if (large)
    it(`instance norm of more voxels than a thread adds up in float32: ${large.join('x')}`, () => {
      compare(
        'float32',
        'channels_last_3d',
        [large, [large[1]], [large[1]]],
        (x, scale, shift) => normaliseAndActivate(x, scale, shift, 'elu'),
        (x, scale, shift) => elu(composedNorm(x, scale, shift)),
      );
    }, 120_000);

  function labelOf(shape: readonly number[], classes: number): Tensor {
    return to(
      tensor(
        Uint8Array.from({ length: product(shape) }, (_, i) => (5 * i + (i >> 2)) % classes),
        shape,
      ),
      { dataType: 'uint8', device },
    );
  }

  it('a label that is no class makes the loss NaN', () => {
    scope(() => {
      const logits = to(wild([1, 3, 2, 3, 4], 0), { dataType: 'float32', device });
      expect(fusedDiceCrossEntropy([logits], labelOf([1, 2, 3, 4], 3), [1, 1, 1], [1]).item()).toBeGreaterThan(0);
      expect(fusedDiceCrossEntropy([logits], labelOf([1, 2, 3, 4], 4), [1, 1, 1], [1]).item()).toBeNaN();
    });
  });

  it.each([2, 48, 49, 256])('counts the pairs of %i classes', (classes) => {
    scope(() => {
      const [prediction, label] = [9001, 9001].map((length, i) => {
        const values = Uint8Array.from({ length }, (_, at) => (at * (i + 3) + (at >> 3)) % classes);
        return { values, volume: to(tensor(values, [length]), { dataType: 'uint8', device }) };
      });
      const expected = new Array<number>(classes * classes).fill(0);
      label.values.forEach((value, at) => {
        expected[value * classes + prediction.values[at]] += 1;
      });
      const found = confusionMatrix(prediction.volume, label.volume, classes);
      expect(found.shape).toEqual([classes, classes]);
      expect(numbers(found)).toEqual(expected);
      expect(() => confusionMatrix(prediction.volume, label.volume, classes - 1)).toThrow(/none of the .* classes/);
    });
  });

  it('the fused operations say what they cannot take', () => {
    const wide: DataType = 'float64';
    const volume = to(wild([1, 2, 2, 2, 2], 0), { dataType: wide, device });
    const two = to(wild([2], 0), { dataType: 'float32', device });
    const sentence = /float32 or bfloat16 or float16/;
    expect(() => normaliseAndActivate(volume, two, two, 'relu')).toThrow(sentence);
    expect(() => upsampleAndAdd(volume, [2, 2, 2], [4, 4, 4])).toThrow(sentence);
    expect(() => argmaxLabels(volume)).toThrow(sentence);
  });
}
