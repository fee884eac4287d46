import { concatenate, indexSelect, memory, noGradient, ones, scope, type Tensor, tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import type { NetworkDimensions } from '../../src/architecture/dimensions.ts';
import { forward } from '../../src/network/forward.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { sharedParameters } from '../../src/network/parameters.ts';
import { channelMatrix, type Meaning, takeOver } from '../../src/network/take-over.ts';
import { createWeights, networkWeights, type Weights, weight } from '../../src/network/weights.ts';
import { createSpace } from '../../src/space/spaces.ts';
import { chirp, product } from '../chirp.ts';
import { randomChildren } from '../space/walk.ts';
import { chirpWeights, microReference, narrow, predictingNames, reference } from './peer.ts';

const base = reference.children['the base'].child;
const dilated = reference.children['dilated, with every activation'].child;
const meaning: Meaning = { channels: ['T1', 'T2'], classes: ['background', 'edema', 'core'] };

/** What a run of these dimensions leaves of a child: the weights on its path, mixed, with values that no fresh ones have. */
function trained(child: ChildArchitecture, dimensions: NetworkDimensions, of: Meaning = meaning) {
  const network = networkOf(child, dimensions);
  const own = noGradient(() => networkWeights(network, chirpWeights(dimensions, child.space), 'float32'));
  return { ...of, network, weights: own };
}

/** Fresh weights of a child alone that take over what they can. */
function begin(
  child: ChildArchitecture,
  dimensions: NetworkDimensions,
  here: Meaning,
  from: ReturnType<typeof trained>,
) {
  const network = networkOf(child, dimensions);
  const weights = createWeights(sharedParameters([network]), 'cpu', 1);
  return { network, weights, ...takeOver(weights, [network], here, from) };
}

const logits = ({ network, weights }: Pick<ReturnType<typeof begin>, 'network' | 'weights'>, image: Tensor) =>
  noGradient(() => scope(() => forward(network, networkWeights(network, weights, 'float32'), image)[0].toNumbers()));

const valuesOf = (weights: Weights, name: string): readonly number[] => weight(weights, name).toNumbers();
const image = chirp([1, 2, 16, 20, 18], 1);

/** As far as float32 sums in another order agree. */
function expectClose(found: readonly number[], expected: readonly number[]): void {
  const largest = Math.max(...expected.map(Math.abs));
  const off = found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
  expect(found.length).toBe(expected.length);
  expect(off / largest).toBeLessThan(1e-4);
}

describe('where everything fits', () => {
  it.each([
    ['the base', base],
    ['a dilated child, whose kernels were mixed', dilated],
    ['cells', microReference.children['every operation, of odd volumes'].child],
  ])('the new network computes what the old one did, to the bit: %s', (_, child) => {
    const old = trained(child, narrow);
    const fresh = begin(child, narrow, meaning, old);
    expect(fresh.taken).toEqual(predictingNames(old.network));
    expect(fresh.adapted).toEqual([]);
    expect(fresh.left).toEqual([]);
    expect(fresh.drawnAnew).toEqual(['head.1', 'head.1.bias', 'head.2', 'head.2.bias']);
    expect(logits(fresh, image)).toEqual(logits(old, image));
  });

  it('among the weights that all children share, every child of a space has what the old one had on its way', () => {
    fc.assert(
      fc.property(randomChildren('macro', [40, 40, 40], narrow), (child) => {
        const old = trained(child, narrow);
        const networks = createSpace('macro', [40, 40, 40], narrow).covering.map((one) => networkOf(one, narrow));
        const weights = createWeights(sharedParameters(networks), 'cpu', 1);
        const before = new Map([...weights].map(([name, own]) => [name, own.toNumbers()]));
        const { taken, drawnAnew, left } = takeOver(weights, networks, meaning, old);
        expect(left).toEqual([]);
        expect(logits({ network: old.network, weights }, image)).toEqual(logits(old, image));
        // What it has not, and the matrices of taps, are as the seed drew them.
        for (const name of drawnAnew) expect(valuesOf(weights, name)).toEqual(before.get(name));
        const taps = [...weights.keys()].filter((name) => name.includes('.taps'));
        for (const name of taps) expect(valuesOf(weights, name)).toEqual(before.get(name));
        expect(taken.length + drawnAnew.length + taps.length).toBe(weights.size);
      }),
      { numRuns: 5 },
    );
  });

  it('leaves no tensor behind, and the weights are trained as before', () => {
    const old = trained(base, narrow, { ...meaning, channels: ['T2', 'T1'] });
    const network = networkOf(base, { ...narrow, flatLevels: 2 });
    const weights = createWeights(sharedParameters([network]), 'cpu', 1);
    const before = memory().tensors;
    expect(takeOver(weights, [network], meaning, old).adapted.length).toBeGreaterThan(5);
    expect(memory().tensors).toBe(before);
    expect([...weights.values()].every(({ requiresGradient }) => requiresGradient)).toBe(true);
  });
});

describe('channels', () => {
  test('in another order are told by their names, so that a scan in that order gives the same logits', () => {
    const names = ['FLAIR', 'T1', 'T2', 'T1Gd'];
    const four = { ...narrow, inputChannels: 4 };
    const old = trained(base, four, { ...meaning, channels: names });
    const scan = chirp([1, 4, 16, 16, 16], 3);
    const expected = logits(old, scan);
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (order) => {
        const channels = order.map((at) => names[at].toLowerCase());
        const fresh = begin(base, four, { ...meaning, channels }, old);
        expect(fresh.left).toEqual([]);
        expect(fresh.adapted).toEqual(String(order) === '0,1,2,3' ? [] : ['encoder.0.conv1']);
        const turned = scope(() => indexSelect(scan, 1, tensor(BigInt64Array.from(order.map(BigInt)), [4])));
        expectClose(logits(fresh, turned), expected);
      }),
      { numRuns: 8 },
    );
  });

  test('that are new are not seen at first', () => {
    const old = trained(base, { ...narrow, inputChannels: 1 }, { ...meaning, channels: ['T2'] });
    const fresh = begin(base, { ...narrow, inputChannels: 3 }, { ...meaning, channels: ['T1', 'T2', 'CT'] }, old);
    const scan = chirp([1, 1, 16, 16, 16], 3);
    const [noise, more] = [chirp([1, 1, 16, 16, 16], 5), chirp([1, 1, 16, 16, 16], 7)];
    expectClose(
      logits(
        fresh,
        scope(() => concatenate([noise, scan, more], 1)),
      ),
      logits(old, scan),
    );
  });

  test.each([
    [1, 3],
    [3, 1],
    [2, 3],
  ])('without a name in common are the mean of all, from %i to %i', (there, here) => {
    const named = (count: number, what: string) => Array.from({ length: count }, (_, at) => `${what} ${at}`);
    const old = trained(base, { ...narrow, inputChannels: there }, { ...meaning, channels: named(there, 'CT') });
    const fresh = begin(base, { ...narrow, inputChannels: here }, { ...meaning, channels: named(here, 'MRI') }, old);
    expect(fresh.adapted).toEqual(['encoder.0.conv1']);
    // Where every channel shows the same.
    const scan = chirp([1, 1, 16, 16, 16], 3);
    const same = (count: number) => scope(() => concatenate(new Array<Tensor>(count).fill(scan), 1));
    expectClose(logits(fresh, same(here)), logits(old, same(there)));
  });

  test.each([
    [
      'by name, in whatever case',
      ['t2', 'T1'],
      ['T1', 'T2'],
      [
        [0, 1],
        [1, 0],
      ],
    ],
    [
      'by name, and nothing of a new one',
      ['T1', 'PET'],
      ['CT', 'T1'],
      [
        [0, 1],
        [0, 0],
      ],
    ],
    ['by order, where no name agrees', ['MRI'], ['T2'], [[1]]],
    [
      'by order, where a name is there twice',
      ['MRI', 'MRI'],
      ['MRI', 'T1'],
      [
        [1, 0],
        [0, 1],
      ],
    ],
    ['as the mean, where neither says it', ['a', 'b'], ['c'], [[0.5], [0.5]]],
    ['as the sum of all in a single one', ['a'], ['c', 'd'], [[1, 1]]],
  ])('are made %s', (_, here, there, expected) => {
    expect(channelMatrix(here, there)).toEqual(expected);
  });
});

describe('classes', () => {
  const old = trained(base, narrow);
  const row = (weights: Weights, name: string, at: number): readonly number[] => {
    const values = valuesOf(weights, name);
    const length = product(weight(weights, name).shape.slice(1));
    return values.slice(at * length, (at + 1) * length);
  };

  test('are told by their names; a new one begins as it was drawn, and the background is the background', () => {
    const classes = ['air', 'Core', 'cyst', 'edema'];
    const fresh = begin(base, { ...narrow, classes: 4 }, { ...meaning, classes }, old);
    expect(fresh.adapted).toEqual(['head.0', 'head.0.bias']);
    const drawn = createWeights(sharedParameters([fresh.network]), 'cpu', 1);
    for (const name of ['head.0', 'head.0.bias']) {
      const found = [0, 1, 2, 3].map((at) => row(fresh.weights, name, at));
      const [background, edema, core] = [0, 1, 2].map((at) => row(old.weights, name, at));
      expect(found).toEqual([background, core, row(drawn, name, 2), edema]);
    }
  });

  test('of other names leave the background alone', () => {
    const fresh = begin(base, narrow, { ...meaning, classes: ['background', 'liver', 'spleen'] }, old);
    expect(fresh.adapted).toEqual(['head.0', 'head.0.bias']);
    const drawn = createWeights(sharedParameters([fresh.network]), 'cpu', 1);
    const found = [0, 1, 2].map((at) => row(fresh.weights, 'head.0', at));
    expect(found).toEqual([row(old.weights, 'head.0', 0), row(drawn, 'head.0', 1), row(drawn, 'head.0', 2)]);
  });
});

describe('flat levels', () => {
  const flat = { ...narrow, flatLevels: 2 };

  test('become deep by their kernels in the middle plane: nothing changes', () => {
    const old = trained(base, flat);
    const fresh = begin(base, narrow, meaning, old);
    const ofTwoLevels = ['conv1', 'conv2'].flatMap((name) =>
      [0, 1].flatMap((level) => [`encoder.${level}.${name}`, `decoder.${level}.${name}`]),
    );
    expect(fresh.adapted.toSorted()).toEqual(ofTwoLevels.toSorted());
    expect(fresh.left).toEqual([]);
    expectClose(logits(fresh, image), logits(old, image));
  });

  test('are made of deep ones by the sum of the planes', () => {
    const old = trained(base, narrow);
    const fresh = begin(base, flat, meaning, old);
    expect(fresh.adapted).toHaveLength(8);
    expect(fresh.left).toEqual([]);
    const [deep, sums] = [old, fresh].map(({ weights }) => valuesOf(weights, 'decoder.1.conv2'));
    sums.forEach((value, at) => {
      const [kernel, tap] = [Math.floor(at / 9) * 27, at % 9];
      expect(value).toBeCloseTo(deep[kernel + tap] + deep[kernel + 9 + tap] + deep[kernel + 18 + tap], 5);
    });
    // Of channels in another order at the same time.
    const turned = begin(base, flat, { ...meaning, channels: ['T2', 'T1'] }, old);
    const [straight, other] = [fresh, turned].map(({ weights }) => valuesOf(weights, 'encoder.0.conv1'));
    expect(other.slice(0, 9)).toEqual(straight.slice(9, 18));
  });
});

test('of another width nothing is taken over in part: what does not fit is as it was drawn, and is told', () => {
  const old = trained(base, narrow);
  const wide = { ...narrow, channels: [4, 6, 8, 10, 13] };
  const fresh = begin(base, wide, meaning, old);
  const drawn = createWeights(sharedParameters([fresh.network]), 'cpu', 1);
  // The lowest level, and what takes in its features.
  const lowest = predictingNames(fresh.network).filter((name) => /^encoder\.4|^decoder\.3\.below/.test(name));
  expect(lowest).toHaveLength(7);
  expect(fresh.left).toEqual(lowest);
  expect(fresh.drawnAnew.filter((name) => !name.startsWith('head'))).toEqual(lowest);
  for (const name of lowest) expect(valuesOf(fresh.weights, name)).toEqual(valuesOf(drawn, name));
  expect(valuesOf(fresh.weights, 'encoder.3.conv2')).toEqual(valuesOf(old.weights, 'encoder.3.conv2'));
});

test('a kernel of the same name that takes in features, and not the scan, is none of its channels', () => {
  const old = trained(base, narrow);
  const weights = new Map(old.weights).set('encoder.0.conv1', ones([4, 5, 3, 3, 3]));
  const fresh = begin(base, narrow, { ...meaning, channels: ['T2', 'T1'] }, { ...old, weights });
  expect(fresh.left).toEqual(['encoder.0.conv1']);
});
