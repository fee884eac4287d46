import * as libtorch from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as plain from '../src/segmenter/libtorch/index.ts';

/** Numbers that look drawn, always the same. */
const waves = (length: number, scale = 3): Float32Array =>
  Float32Array.from({ length }, (_, i) => scale * Math.sin(1.7 * i) * Math.cos(0.13 * i * i));

const labelsOf = (length: number): Uint8Array => Uint8Array.from(waves(length), (value) => Math.floor(Math.abs(value)));
const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

type Both<Result> = readonly [found: Result, expected: Result];

/** Has both compute the same of the same numbers. */
function both(
  shape: readonly number[],
  make: (length: number) => Float32Array | Uint8Array,
  ofPlain: (input: plain.Tensor) => plain.Tensor,
  ofLibtorch: (input: libtorch.Tensor) => libtorch.Tensor,
): Both<{ readonly shape: readonly number[]; readonly values: readonly number[] }> {
  const values = make(count(shape));
  const found = ofPlain(plain.tensor(values, shape));
  const expected = libtorch.noGradient(() => ofLibtorch(libtorch.tensor(values, shape)));
  return [
    { shape: found.shape, values: Array.from(found.toArray()) },
    { shape: expected.shape, values: expected.toNumbers() },
  ];
}

function expectSame([found, expected]: ReturnType<typeof both>, digits?: number): void {
  expect(found.shape).toEqual(expected.shape);
  if (digits === undefined) expect(found.values).toEqual(expected.values);
  else for (const [i, value] of found.values.entries()) expect(value).toBeCloseTo(expected.values[i], digits);
}

const extent = fc.integer({ min: 1, max: 9 });
const size = fc.tuple(extent, extent, extent);
const axis = fc.constantFrom(undefined, 0, 1, 2);

describe("the page's tensors are libtorch's", () => {
  it('to the last bit where numbers are added, multiplied, cut, padded, mirrored and rounded', () => {
    const shape = [1, 2, 5, 4, 3];
    const other = waves(count([1, 1, 5, 4, 3]), 2);
    const box = (volume: number, from: number, width: number) => [volume, from, width] as const;
    expectSame(
      both(
        shape,
        waves,
        (x) => plain.multiply(x, plain.tensor(other, [1, 1, 5, 4, 3])),
        (x) => libtorch.multiply(x, libtorch.tensor(other, [1, 1, 5, 4, 3])),
      ),
    );
    expectSame(
      both(
        shape,
        waves,
        (x) => plain.divide(x, plain.tensor(other, [1, 1, 5, 4, 3])),
        (x) => libtorch.divide(x, libtorch.tensor(other, [1, 1, 5, 4, 3])),
      ),
    );
    expectSame(
      both(
        shape,
        waves,
        (x) => plain.pad(x, [1, 2, 0, 3, 4, 0]),
        (x) => libtorch.pad(x, [1, 2, 0, 3, 4, 0]),
      ),
    );
    expectSame(
      both(
        shape,
        waves,
        (x) => plain.flip(x, [2, 4]),
        (x) => libtorch.flip(x, [2, 4]),
      ),
    );
    expectSame(
      both(
        shape,
        waves,
        (x) => plain.narrow(x, ...box(3, 1, 2)),
        (x) => libtorch.narrow(x, ...box(3, 1, 2)),
      ),
    );
    const adding = <T>(
      x: T,
      narrow: (x: T, axis: number, start: number, length: number) => T,
      add: (x: T, y: T) => void,
      scale: (x: T, by: number) => void,
    ): T => {
      add(narrow(x, 2, 1, 2), narrow(x, 2, 3, 2));
      scale(x, 0.3);
      return x;
    };
    expectSame(
      both(
        shape,
        waves,
        (x) => adding(plain.to(x, { copy: true }), plain.narrow, plain.addInPlace, plain.multiplyInPlace),
        (x) => adding(libtorch.to(x, { copy: true }), libtorch.narrow, libtorch.addInPlace, libtorch.multiplyInPlace),
      ),
    );
    const halves = (length: number): Float32Array => waves(length).map((value, i) => value * 10 ** ((i % 14) - 9));
    const rounded = <T>(x: T, to: (x: T, how: { readonly dataType: 'float16' | 'float32' }) => T): T =>
      to(to(x, { dataType: 'float16' }), { dataType: 'float32' });
    expectSame(
      both(
        [400],
        halves,
        (x) => rounded(x, plain.to),
        (x) => rounded(x, libtorch.to),
      ),
    );
  });

  it('for cubic splines, within rounding', () => {
    fc.assert(
      fc.property(size, size, axis, (from, to, nearestAxis) =>
        expectSame(
          both(
            from,
            waves,
            (x) => plain.resampleCubic(x, to, { nearestAxis }),
            (x) => libtorch.resampleCubic(x, to, { nearestAxis }),
          ),
          6,
        ),
      ),
      { numRuns: 60 },
    );
  });

  it('for labels, exactly', () => {
    fc.assert(
      fc.property(size, size, axis, (from, to, nearestAxis) =>
        expectSame(
          both(
            from,
            labelsOf,
            (x) => plain.resampleLabels(x, to, { nearestAxis }),
            (x) => libtorch.resampleLabels(x, to, { nearestAxis }),
          ),
        ),
      ),
      { numRuns: 60 },
    );
  });

  it('for classes, exactly', () => {
    expectSame(both([1, 4, 5, 6, 7], waves, plain.argmaxLabels, libtorch.argmaxLabels));
    fc.assert(
      fc.property(size, size, axis, fc.boolean(), (from, to, nearestAxis, interpolatesLogits) => {
        const how = { nearestAxis, interpolatesLogits };
        expectSame(
          both(
            [1, 3, ...from],
            waves,
            (x) => plain.resampleArgmax(x, to, how),
            (x) => libtorch.resampleArgmax(x, to, how),
          ),
        );
      }),
      { numRuns: 60 },
    );
  });
});
