import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Convolving } from '../src/convolution.ts';
import {
  multiply,
  narrow,
  oneDnnTakesBfloat16,
  permute,
  reshape,
  scope,
  sumAll,
  type Tensor,
  zeros,
} from '../src/index.ts';
import { deinterleave, type Interleaving, interleave, interleavingFor } from '../src/interleaving.ts';
import { withThreads } from './differences.ts';
import { anyCase, composedInterleave, expectSame, leaf, numbers, wave } from './interleaved.ts';

/** The result, and the gradient of its sum weighted by other values. */
function withGradient(operation: (input: Tensor) => Tensor, input: Tensor): readonly number[][] {
  const output = operation(leaf(input));
  sumAll(multiply(output, wave(output.shape, 0.9, output.dataType))).backward();
  return [numbers(output), numbers(input.gradient)];
}

function composedDeinterleave(subVolumes: Tensor, { dilation, size }: Interleaving): Tensor {
  const [all, channels, ...part] = subVolumes.shape;
  const batch = all / dilation ** 3;
  const split = reshape(subVolumes, [batch, dilation, dilation, dilation, channels, ...part]);
  const whole = reshape(permute(split, [0, 4, 5, 1, 6, 2, 7, 3]), [
    batch,
    channels,
    ...part.map((length) => length * dilation),
  ]);
  return size.reduce((result, length, axis) => narrow(result, axis + 2, 0, length), whole);
}

describe('interleave', () => {
  it('gives the sub-volumes of every dilation-th voxel, padded with 0, bit by bit, and their gradient', () => {
    fc.assert(
      fc.property(anyCase, ({ batch, channels, size, dilation, dataType, layout }) =>
        scope(() => {
          const input = (): Tensor => wave([batch, channels, ...size], 1.3, dataType, layout);
          const [ours, theirs] = [interleave, composedInterleave].map((operation) =>
            withGradient((volume) => operation(volume, { dilation, size }), input()),
          );
          expectSame(ours, theirs);
        }),
      ),
      { numRuns: 80 },
    );
  });

  it('gives them of more rows than a piece of work holds, on any number of threads', () => {
    const size = [11, 40, 37];
    const run = (operation: typeof interleave): readonly number[][] =>
      scope(() =>
        withGradient((volume) => operation(volume, { dilation: 3, size }), wave([2, 5, ...size], 1.3, 'float32')),
      );
    const exact = run(composedInterleave);
    for (const threads of [1, 3]) {
      expectSame(
        withThreads(threads, () => run(interleave)),
        exact,
      );
    }
  });

  it('says what it cannot take', () => {
    expect(() => interleave(zeros([4]), { dilation: 2, size: [4] })).toThrow(/\[batch, channel, depth/);
    expect(() => interleave(zeros([1, 1, 2, 2, 2]), { dilation: 0, size: [2, 2, 2] })).toThrow(/from 1 to 1024/);
  });
});

describe('deinterleave', () => {
  it('is the way back, bit by bit, whatever the padding holds, which gets no gradient', () => {
    fc.assert(
      fc.property(anyCase, ({ batch, channels, size, dilation, dataType, layout }) =>
        scope(() => {
          const part = size.map((length) => Math.ceil(length / dilation));
          const input = (): Tensor => wave([batch * dilation ** 3, channels, ...part], 1.3, dataType, layout);
          const [ours, theirs] = [deinterleave, composedDeinterleave].map((operation) =>
            withGradient((volume) => operation(volume, { dilation, size }), input()),
          );
          expectSame(ours, theirs);
        }),
      ),
      { numRuns: 80 },
    );
  });

  it('refuses sub-volumes that are not of such volumes', () => {
    const subVolumes = zeros([8, 1, 3, 3, 3]);
    expect(() => deinterleave(subVolumes, { dilation: 2, size: [5, 6, 7] })).toThrow(/are not \[8, 1, 3, 3, 3\]/);
    expect(() => deinterleave(subVolumes, { dilation: 2, size: [5, 6] })).toThrow(/depth, height and width/);
    expect(() => deinterleave(zeros([9, 1, 3, 3, 3]), { dilation: 2, size: [5, 6, 6] })).toThrow(/are not/);
  });
});

describe('interleavingFor', () => {
  const described = (change: Partial<Convolving>): Convolving => ({
    size: [5, 6, 7],
    planes: 3,
    dilation: 2,
    dataType: 'bfloat16',
    device: 'cpu',
    ...change,
  });

  it('interleaves dilated convolutions in bfloat16 where they are for oneDNN', () => {
    const [by2, by3] = oneDnnTakesBfloat16() ? [2, 3] : [1, 1];
    expect(interleavingFor(described({}))).toEqual({ dilation: by2, size: [5, 6, 7] });
    expect(interleavingFor(described({ size: [7, 8, 9], dilation: 3 })).dilation).toBe(by3);
  });

  it.each<[string, Partial<Convolving>]>([
    ['would become too small', { size: [4, 6, 7] }],
    ['would become too small by a larger dilation', { size: [7, 8, 6], dilation: 3 }],
    ['are float32', { dataType: 'float32' }],
    ['are not dilated', { dilation: 1 }],
    ['have kernels of one plane', { planes: 1 }],
    ['are on a GPU', { device: 'cuda' }],
  ])('leaves as they are those that %s', (_, change) => {
    const convolving = described(change);
    expect(interleavingFor(convolving)).toEqual({ dilation: 1, size: convolving.size });
  });

  it('where nothing is interleaved, nothing is copied', () => {
    const volumes = zeros([1, 1, 5, 6, 7]);
    const interleaving = interleavingFor(described({ dataType: 'float32' }));
    expect(interleave(volumes, interleaving)).toBe(volumes);
    expect(deinterleave(volumes, interleaving)).toBe(volumes);
  });
});
