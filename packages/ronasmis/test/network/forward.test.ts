import { noGradient, scope, type Tensor, tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ChildArchitecture, type MacroArchitecture, strideBetween } from '../../src/architecture/architecture.ts';
import { forward } from '../../src/network/forward.ts';
import { networkLoss } from '../../src/network/loss.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import type { Weights } from '../../src/network/weights.ts';
import { chirp, expectDigest, product } from '../chirp.ts';
import { randomChildren } from '../space/walk.ts';
import { chirpLabel, chirpWeights, microReference, narrow, reference, spaceWeights, supervisedLevels } from './peer.ts';

const label = (size: readonly number[]): Tensor => {
  const shape = [size[0], ...size.slice(2)];
  return tensor(chirpLabel(product(shape), 3, 3), shape);
};

/** The finest logits at prediction. */
function predict(weights: Weights, child: ChildArchitecture, image: Tensor, dimensions = narrow): number[] {
  const network = networkOf(child, dimensions);
  return noGradient(() => scope(() => forward(network, weights, image)[0].toNumbers()));
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

describe.each([
  ...Object.entries(reference.children).map(([name, expected]) => [`${name} (macro)`, expected] as const),
  ...Object.entries(microReference.children).map(([name, expected]) => [`${name} (micro)`, expected] as const),
])('%s', (_name, { child, size, logits, loss, gradients }) => {
  const network = networkOf(child, narrow);

  test('logits, loss and gradients are those of the same network in PyTorch', () => {
    const weights = chirpWeights(narrow, child.space);
    scope(() => {
      const found = forward(network, weights, chirp(size, 1), { deepSupervision: true });
      expect(found).toHaveLength(logits.length);
      found.forEach((level, i) => {
        expectDigest(level, logits[i], 1e-4);
      });
      const foundLoss = networkLoss(network, found, label(size));
      expect(foundLoss.item()).toBeCloseTo(loss, 5);
      foundLoss.backward();
      for (const [name, expected] of Object.entries(gradients)) {
        const gradient = weights.get(name)?.gradient;
        if (!gradient) throw new Error(`${name} has no gradient.`);
        expectDigest(gradient, expected, 1e-3);
      }
    });
  });

  test('without deep supervision it gives the finest logits alone', () => {
    const weights = chirpWeights(narrow, child.space);
    const found = noGradient(() => forward(network, weights, chirp(size, 1), { deepSupervision: false }));
    expect(found).toHaveLength(1);
    expectDigest(found[0], logits[0], 1e-4);
  });
});

describe('every choice changes the network', () => {
  const { child: base } = reference.children['the base'];
  const weights = chirpWeights(narrow);
  const image = chirp([1, 2, 32, 32, 32], 1);
  const before = predict(weights, base, image);
  const encoderWith = (level: number, change: Partial<MacroArchitecture['encoder'][number]>): MacroArchitecture => ({
    ...base,
    encoder: base.encoder.map((choice, i) => (i === level ? { ...choice, ...change } : choice)),
  });
  const decoderWith = (level: number, change: Partial<MacroArchitecture['decoder'][number]>): MacroArchitecture => ({
    ...base,
    decoder: base.decoder.map((choice, i) => (i === level ? { ...choice, ...change } : choice)),
  });
  const variants: [string, MacroArchitecture][] = [
    ...[0, 1, 2, 3, 4].flatMap((level): [string, MacroArchitecture][] => [
      [`dilation of encoder level ${level}`, encoderWith(level, { dilation: 2 })],
      [`activation of encoder level ${level}`, encoderWith(level, { activation: 'elu' })],
    ]),
    ...[1, 2, 3, 4].flatMap((level): [string, MacroArchitecture][] => [
      [`depth stride before level ${level}`, encoderWith(level, { pool: { depth: 1, plane: 2 } })],
      [`plane stride before level ${level}`, encoderWith(level, { pool: { depth: 2, plane: 1 } })],
    ]),
    ...[0, 1, 2, 3].flatMap((level): [string, MacroArchitecture][] => [
      [`dilation of decoder level ${level}`, decoderWith(level, { dilation: 3 })],
      [`activation of decoder level ${level}`, decoderWith(level, { activation: 'relu' })],
      [`no skip into decoder level ${level}`, decoderWith(level, { skips: [] })],
      ...[0, 1, 2, 3]
        .filter((from) => from !== level)
        .map((from): [string, MacroArchitecture] => [
          `skip from ${from} into decoder level ${level}`,
          decoderWith(level, { skips: [level, from] }),
        ]),
    ]),
  ];
  test.each(variants)('%s', (_name, variant) => {
    expect(largestDifference(predict(weights, variant, image), before)).toBeGreaterThan(1e-3);
  });
});

describe('volumes are taken as they are', () => {
  const thin = { inputChannels: 1, classes: 2, channels: [2, 2, 2, 2, 2], flatLevels: 0 };
  const extent = fc.integer({ min: 1, max: 20 });

  test.each(['macro', 'micro'] as const)(
    'logits are as large as the image, and those of a level as its label, for any volume and %s child',
    (space) => {
      const weights = spaceWeights(space, thin, 1);
      fc.assert(
        fc.property(randomChildren(space, [40, 40, 40], thin), fc.tuple(extent, extent, extent), (child, volume) => {
          scope(() => {
            const network = networkOf(child, thin);
            const logits = forward(network, weights, chirp([1, 1, ...volume], 2), { deepSupervision: true });
            supervisedLevels.forEach((level, i) => {
              const strides = strideBetween(child, 0, level);
              const expected = volume.map((size, axis) => Math.ceil(size / strides[axis]));
              expect(logits[i].shape).toEqual([1, 2, ...expected]);
            });
            const voxels = tensor(chirpLabel(product(volume), 2, 3), [1, ...volume]);
            expect(networkLoss(network, logits, voxels).item()).toBeGreaterThan(0);
          });
        }),
        { numRuns: 40 },
      );
    },
  );

  test.each([reference, microReference])('a single slice and a single voxel', ({ children }) => {
    const { child } = children['the base'];
    const weights = spaceWeights(child.space, thin, 1);
    for (const volume of [
      [1, 19, 23],
      [1, 1, 1],
    ]) {
      const logits = predict(weights, child, chirp([1, 1, ...volume], 2), thin);
      expect(logits).toHaveLength(2 * product(volume));
      expect(logits.every(Number.isFinite)).toBe(true);
    }
  });
});

describe('a dropped skip', () => {
  const { child, size } = reference.children['skips from finer and coarser levels, of odd volumes'];
  const network = networkOf(child, narrow);
  const weights = chirpWeights(narrow);
  const image = chirp(size, 1);

  test('leaves the child that has no such skip', () => {
    const without: MacroArchitecture = {
      ...child,
      decoder: child.decoder.map((choice, level) => ({
        ...choice,
        skips: choice.skips.filter((from) => level !== 1 || from !== 3),
      })),
    };
    const dropped = noGradient(() =>
      forward(network, weights, image, {
        deepSupervision: false,
        dropSkip: (level, from) => level === 1 && from === 3,
      }),
    );
    expect(dropped[0].toNumbers()).toEqual(predict(weights, without, image));
    expect(predict(weights, without, image)).not.toEqual(predict(weights, child, image));
  });

  test('is asked about once for every skip that the child has', () => {
    const asked: string[] = [];
    const dropSkip = (level: number, from: number): boolean => {
      asked.push(`${from} into ${level}`);
      return false;
    };
    noGradient(() => scope(() => forward(network, weights, image, { deepSupervision: false, dropSkip }).length));
    const skips = child.decoder.flatMap(({ skips }, level) => skips.map((from) => `${from} into ${level}`));
    expect(asked.sort()).toEqual(skips.sort());
  });
});
