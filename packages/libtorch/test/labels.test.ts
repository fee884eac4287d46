import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argmax, argmaxLabels, confusionMatrix, scope, type Tensor, tensor, to, zeros } from '../src/index.ts';
import { withThreads } from './differences.ts';
import { wave } from './wave.ts';

const product = (shape: readonly number[]): number => shape.reduce((result, extent) => result * extent, 1);
const extent = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

describe('argmaxLabels', () => {
  const anyCase = fc.record({
    shape: fc.tuple(extent(1, 3), extent(1, 40), extent(1, 5), extent(1, 6), extent(1, 30)),
    // Few levels make many equal values.
    levels: fc.constantFrom(2, 5, 1000),
    dataType: fc.constantFrom('float32', 'bfloat16'),
    layout: fc.constantFrom('contiguous', 'channels_last_3d'),
    threads: fc.constantFrom(1, 2),
  });

  it("equals libtorch's argmax, the first of equal values and NaN included", () => {
    fc.assert(
      fc.property(anyCase, fc.integer(), fc.boolean(), ({ shape, levels, dataType, layout, threads }, seed, holes) => {
        scope(() => {
          const values = Float32Array.from({ length: product(shape) }, (_, i) => {
            const value = Math.round(levels * Math.sin(seed + 1.7 * i * i));
            return holes && i % 7 === 0 ? Number.NaN : value;
          });
          const logits = to(tensor(values, shape), { dataType, copy: true, memoryFormat: layout });
          const found = withThreads(threads, () => argmaxLabels(logits));
          expect(found.dataType).toBe('uint8');
          expect(found.shape).toEqual([shape[0], ...shape.slice(2)]);
          expect(found.toNumbers()).toEqual(argmax(logits, 1).toNumbers());
        });
      }),
      { numRuns: 80 },
    );
  });

  it('takes 256 classes and leaves no trace for gradients', () => {
    const logits = wave([1, 256, 2, 3, 4], 0);
    logits.requiresGradient = true;
    const found = argmaxLabels(logits);
    expect(found.toNumbers()).toEqual(argmax(logits, 1).toNumbers());
    expect(found.requiresGradient).toBe(false);
  });

  it('says what it cannot take', () => {
    expect(() => argmaxLabels(zeros([1, 257, 1, 1, 1]))).toThrow(/no room for 257 classes/);
    expect(() => argmaxLabels(zeros([2, 2]))).toThrow(/\[batch, class, depth, height, width\]/);
    expect(() => argmaxLabels(zeros([1, 2, 0, 1, 1]))).toThrow(/not empty/);
    expect(() => argmaxLabels(zeros([1, 2, 1, 1, 1], { dataType: 'float64' }))).toThrow(/float32 or bfloat16/);
  });
});

describe('confusionMatrix', () => {
  const labelsOf = (values: readonly number[]): Tensor => tensor(Uint8Array.from(values), [values.length]);

  it('counts every pair of classes, for any number of threads', () => {
    const pair = (classes: number) => fc.tuple(extent(0, classes - 1), extent(0, classes - 1));
    const anyCase = fc
      .constantFrom(1, 2, 3, 17, 256)
      .chain((classes) => fc.tuple(fc.constant(classes), fc.array(pair(classes), { maxLength: 300 })));
    fc.assert(
      fc.property(anyCase, fc.constantFrom(1, 1000), fc.constantFrom(1, 2), ([classes, pairs], repeats, threads) => {
        scope(() => {
          const many = Array.from({ length: repeats }, () => pairs).flat();
          const [prediction, label] = [0, 1].map((part) => labelsOf(many.map((values) => values[part])));
          const expected = Array.from({ length: classes ** 2 }, () => 0);
          for (const [predicted, labelled] of pairs) expected[labelled * classes + predicted] += repeats;
          const found = withThreads(threads, () => confusionMatrix(prediction, label, classes));
          expect(found.shape).toEqual([classes, classes]);
          expect(found.toNumbers()).toEqual(expected);
        });
      }),
      { numRuns: 20 },
    );
  });

  it('says what it cannot take', () => {
    const [few, many] = [labelsOf([0, 1, 2]), labelsOf([0, 1, 3])];
    expect(() => confusionMatrix(few, many, 3)).toThrow(/a value that is none of the 3 classes/);
    expect(() => confusionMatrix(many, few, 3)).toThrow(/a value that is none of the 3 classes/);
    expect(() => confusionMatrix(few, labelsOf([0]), 3)).toThrow(/has the shape \[3\], the label \[1\]/);
    expect(() => confusionMatrix(to(few, { dataType: 'int64' }), few, 3)).toThrow(/must be uint8/);
    expect(() => confusionMatrix(few, few, 257)).toThrow(/1 to 256 classes, not 257/);
  });
});
