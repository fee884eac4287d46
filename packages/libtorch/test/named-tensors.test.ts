import { describe, expect, test } from 'vitest';
import { copyInto, joinParts, type NamedTensors, partOf, scope, type Tensor, tensor } from '../src/index.ts';
import { waveLeaf } from './wave.ts';

const scalar = (value: number): Tensor => tensor(Float32Array.of(value), []);
const values = (tensors: NamedTensors) => Array.from(tensors, ([name, found]) => [name, found.toNumbers()]);

describe('parts of a checkpoint', () => {
  const weights: NamedTensors = new Map([
    ['convolution', scalar(1)],
    ['a/b', scalar(2)],
  ]);
  const optimiser: NamedTensors = new Map([['convolution', scalar(3)]]);

  test('come back out of the whole as they were put in, also where names are alike or have a slash', () => {
    const whole = joinParts({ weights, optimiser, none: new Map() });
    expect([...whole.keys()]).toEqual(['weights/convolution', 'weights/a/b', 'optimiser/convolution']);
    expect(values(partOf(whole, 'weights'))).toEqual(values(weights));
    expect(values(partOf(whole, 'optimiser'))).toEqual(values(optimiser));
    expect(partOf(whole, 'none').size).toBe(0);
  });

  test('are not those whose names begin alike', () => {
    expect(partOf(joinParts({ weights_averaged: weights }), 'weights').size).toBe(0);
  });
});

describe('copyInto', () => {
  test('overwrites weights by name, in place and without a gradient, and leaves the sources alone', () => {
    const target = waveLeaf([2, 3], 0);
    const source = waveLeaf([2, 3], 1);
    const expected = source.toNumbers();
    copyInto(
      new Map([['weight', target]]),
      new Map([
        ['weight', source],
        ['other', scalar(0)],
      ]),
    );
    expect(target.toNumbers()).toEqual(expected);
    expect(source.toNumbers()).toEqual(expected);
    expect(target.requiresGradient).toBe(true);
  });

  test.each([
    ['missing', new Map()],
    ['of another shape', new Map([['weight', scalar(1)]])],
  ])('says which weight is %s', (_, sources: NamedTensors) => {
    scope(() => {
      const target = waveLeaf([2, 3], 0);
      const before = target.toNumbers();
      expect(() => copyInto(new Map([['weight', target]]), sources)).toThrow(
        "lacks the weight 'weight' of shape [2, 3]",
      );
      expect(target.toNumbers()).toEqual(before);
    });
  });
});
