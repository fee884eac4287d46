import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addScalar,
  equalScalar,
  full,
  multiply,
  onesLike,
  scope,
  sumAll,
  type Tensor,
  where,
  zeros,
} from '../src/index.ts';
import { deinterleave, type Interleaving, interleave } from '../src/interleaving.ts';
import { normaliseAndActivate, normaliseInterleaved } from '../src/normalisation.ts';
import { largestDifference, meanDifference, withThreads } from './differences.ts';
import { anyCase, type Case, composedInterleave, expectSame, leaf, numbers, wave } from './interleaved.ts';

/** Where sub-volumes are no padding, 1. */
const validity = (shape: readonly number[], interleaving: Interleaving): Tensor =>
  composedInterleave(onesLike(zeros(shape, { dataType: 'float32' })), interleaving);

describe('normaliseInterleaved', () => {
  /** A padding of NaN before, and gradients that reach it: none of either may be found in any result. */
  function run({ batch, channels, size, dilation, dataType }: Case, padding: number): readonly number[][] {
    return scope(() => {
      const interleaving = { dilation, size };
      const shape = [batch, channels, ...size];
      const valid = equalScalar(validity(shape, interleaving), 1);
      const volume = leaf(addScalar(wave(shape, 1.3, dataType), 0.5));
      const interleaved = interleave(volume, interleaving);
      const input = where(valid, interleaved, full(interleaved.shape, padding, { dataType }));
      const [scale, shift] = [0.4, 0.6].map((pace) => leaf(addScalar(wave([channels], pace, 'float32'), 0.5)));
      const output = normaliseInterleaved(input, { scale, shift }, 'elu', interleaving);
      const upstream = wave(shape, 0.9, dataType);
      const ofPadding = onesLike(output);
      sumAll(multiply(output, where(valid, composedInterleave(upstream, interleaving), ofPadding))).backward();
      return [
        numbers(deinterleave(output, interleaving)),
        numbers(where(valid, zeros(output.shape, { dataType }), output)),
        ...[volume, scale, shift].map(({ gradient }) => numbers(gradient)),
      ];
    });
  }

  /** The same of volumes that are not interleaved. */
  function plain({ batch, channels, size, dataType }: Case): readonly number[][] {
    return scope(() => {
      const shape = [batch, channels, ...size];
      const volume = leaf(addScalar(wave(shape, 1.3, dataType), 0.5));
      const [scale, shift] = [0.4, 0.6].map((pace) => leaf(addScalar(wave([channels], pace, 'float32'), 0.5)));
      const output = normaliseAndActivate(volume, scale, shift, 'elu');
      sumAll(multiply(output, wave(shape, 0.9, dataType))).backward();
      return [output, volume.gradient, scale.gradient, shift.gradient].map(numbers);
    });
  }

  // At least 27 voxels: of fewer, float32 knows the deviation less well than the two are compared.
  const largeEnough = anyCase.filter(({ size }) => size[0] * size[1] * size[2] >= 27);

  it('is that of the volumes, gradients included, and makes the padding 0, whatever it was', () => {
    fc.assert(
      fc.property(largeEnough, (example) => {
        const [output, padding, ...gradients] = run(example, Number.NaN);
        expect(padding.every((value) => value === 0)).toBe(true);
        const expected = plain(example);
        [output, ...gradients].forEach((values, part) => {
          // Sums are taken in another order, so some results are rounded the other way.
          if (example.dataType === 'float32') expect(largestDifference(values, expected[part])).toBeLessThan(1e-4);
          else {
            expect(largestDifference(values, expected[part])).toBeLessThan(2e-2);
            expect(meanDifference(values, expected[part])).toBeLessThan(1e-3);
          }
        });
      }),
      { numRuns: 80 },
    );
  });

  it('gives padding no gradient', () => {
    scope(() => {
      const interleaving = { dilation: 2, size: [3, 4, 5] };
      const input = leaf(wave([8, 3, 2, 2, 3], 1.3, 'float32'));
      const output = normaliseInterleaved(
        input,
        { scale: onesLike(zeros([3])), shift: zeros([3]) },
        'elu',
        interleaving,
      );
      sumAll(multiply(output, wave(output.shape, 0.9, 'float32'))).backward();
      const valid = numbers(validity([1, 3, 3, 4, 5], interleaving));
      const gradient = numbers(input.gradient);
      expect(gradient.filter((_, i) => valid[i] === 0)).toEqual(valid.filter((value) => value === 0));
      expect(gradient.every((value, i) => (value === 0) === (valid[i] === 0))).toBe(true);
    });
  });

  it('gives the same bits on any number of threads, of more voxels than a piece of work holds', () => {
    const example: Case = {
      batch: 2,
      channels: 13,
      size: [20, 21, 22],
      dilation: 3,
      dataType: 'float32',
      layout: 'channels_last_3d',
    };
    const threads = [1, 2, 5].map((count) => withThreads(count, () => run(example, 7)));
    for (const found of threads) expectSame(found, threads[0]);
    const [output, , ...gradients] = threads[0];
    const expected = plain(example);
    [output, ...gradients].forEach((values, part) => {
      expect(largestDifference(values, expected[part])).toBeLessThan(1e-4);
    });
  });
});
