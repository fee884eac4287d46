import fc from 'fast-check';
import { expect } from 'vitest';
import { type DataType, type MemoryFormat, pad, permute, reshape, type Tensor, tensor, to } from '../src/index.ts';
import type { Interleaving } from '../src/interleaving.ts';
import { largestDifference } from './differences.ts';

export interface Case {
  readonly batch: number;
  readonly channels: number;
  readonly size: readonly [number, number, number];
  readonly dilation: number;
  readonly dataType: DataType;
  readonly layout: MemoryFormat;
}

export const extent = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
export const anyCase: fc.Arbitrary<Case> = fc.record({
  batch: extent(1, 3),
  channels: extent(1, 20),
  size: fc.tuple(extent(1, 8), extent(1, 8), extent(1, 11)),
  dilation: extent(1, 4),
  dataType: fc.constantFrom('float32', 'bfloat16'),
  layout: fc.constantFrom('contiguous', 'channels_last_3d'),
});

/** Values in no order, rounded to float32 first, so that all precisions are given the same numbers. */
export function wave(
  shape: readonly number[],
  pace: number,
  dataType: DataType,
  layout: MemoryFormat = 'contiguous',
): Tensor {
  const length = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length }, (_, i) => Math.sin(pace * i * (1 + (i % 7))));
  return to(tensor(values, shape), { dataType, copy: true, memoryFormat: layout });
}

export function leaf(values: Tensor): Tensor {
  values.requiresGradient = true;
  return values;
}

export const numbers = (values: Tensor | undefined): number[] =>
  values ? to(values, { dataType: 'float64' }).toNumbers() : [];

/** Without a list of what differs, which takes minutes to write. */
export function expectSame(ours: readonly number[][], theirs: readonly number[][]): void {
  ours.forEach((values, part) => {
    expect(largestDifference(values, theirs[part])).toBe(0);
  });
}

/** By libtorch's own operations. */
export function composedInterleave(volume: Tensor, { dilation, size }: Interleaving): Tensor {
  const [batch, channels] = volume.shape;
  const part = size.map((length) => Math.ceil(length / dilation));
  const padding = size.flatMap((length, axis) => [part[axis] * dilation - length, 0]).reverse();
  const split = reshape(pad(volume, padding), [batch, channels, ...part.flatMap((length) => [length, dilation])]);
  return reshape(permute(split, [0, 3, 5, 7, 1, 2, 4, 6]), [batch * dilation ** 3, channels, ...part]);
}
