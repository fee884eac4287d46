import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import type { NetworkDimensions } from '../../src/architecture/dimensions.ts';
import { defineNetwork } from '../../src/network/network.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { elementCount, imageKernels, recordParameters, sharedParameters } from '../../src/network/parameters.ts';
import { randomChildren } from '../space/walk.ts';
import { microReference, narrow, predictingNames, reference, sharedBy } from './peer.ts';

interface ChildParameters {
  readonly names: readonly string[];
  /** Of dilated levels, the kernels' matrices. */
  readonly taps: Readonly<Record<string, string>>;
  /** Numbers, with the heads of deep supervision. */
  readonly count: number;
}

/** What was shared, in which order, before networks recorded it; the file says how it was made. */
const earlier: {
  readonly shared: readonly {
    readonly space: ChildArchitecture['space'];
    readonly dimensions: NetworkDimensions;
    readonly parameters: Readonly<Record<string, readonly number[]>>;
  }[];
  readonly children: Readonly<Record<string, ChildParameters>>;
} = JSON.parse(readFileSync(new URL('../reference/parameters.json', import.meta.url), 'utf8'));

const title = 'what children of the $space space share has the names, shapes and order that seeds and files count on';
test.each(earlier.shared)(`${title}: $dimensions.flatLevels flat levels`, ({ space, dimensions, parameters }) => {
  const found = sharedBy(space, dimensions).map(({ name, shape }) => [name, shape]);
  expect(found).toEqual(Object.entries(parameters));
});

const children: readonly (readonly [string, ChildArchitecture])[] = [
  ...Object.entries(reference.children).map(([name, { child }]) => [`${name} (macro)`, child] as const),
  ...Object.entries(microReference.children).map(([name, { child }]) => [`${name} (micro)`, child] as const),
];
test.each(children)('so has what a child has of its own: %s', (name, child) => {
  const { names, taps, count } = earlier.children[name];
  const network = networkOf(child, narrow);
  expect(predictingNames(network)).toEqual(names);
  const throughTaps = network.parameters.flatMap(({ name, taps }) => (taps === undefined ? [] : [[name, taps]]));
  expect(throughTaps.sort()).toEqual(Object.entries(taps).sort());
  expect(elementCount([...network.parameters, ...network.auxiliaryParameters])).toBe(count);
});

test.each(children)('the first kernel alone takes in the scan: %s', (name, child) => {
  expect(imageKernels(networkOf(child, narrow))).toEqual([
    name.endsWith('(micro)') ? 'encoder.0.match' : 'encoder.0.conv1',
  ]);
});

test('all that a child is made of is shared by its space, in the same shapes, with the matrices that it needs', () => {
  for (const space of ['macro', 'micro'] as const) {
    const shared = new Map(sharedBy(space, narrow).map((parameter) => [parameter.name, parameter]));
    fc.assert(
      fc.property(randomChildren(space, [40, 40, 40], narrow), (child) => {
        const network = networkOf(child, narrow);
        for (const { name, kind, shape, taps } of [...network.parameters, ...network.auxiliaryParameters]) {
          expect(shared.get(name)).toMatchObject({ kind, shape });
          const count = shape.slice(2).reduce((product, extent) => product * extent, 1);
          if (taps !== undefined) expect(shared.get(taps)).toMatchObject({ kind: 'taps', shape: [count, count] });
        }
      }),
      { numRuns: 20 },
    );
  }
});

describe('the numbers of a child', () => {
  const dimensions = { inputChannels: 1, classes: 2, channels: [1, 1, 1, 1, 1], flatLevels: 0 };
  const { child } = reference.children['the base'];

  test('are counted', () => {
    // A block: 2 (27 + scale + shift); a decoder level: its block, the way up and one skip; the head: 2 and its bias.
    expect(elementCount(networkOf(child, dimensions).parameters)).toBe(9 * 2 * 29 + 4 * 2 + 4);
    const all = { ...child, decoder: child.decoder.map((level) => ({ ...level, skips: [0, 1, 2, 3] })) };
    expect(elementCount(networkOf(all, dimensions).parameters)).toBe(9 * 2 * 29 + 4 * 5 + 4);
  });

  test('do not change with a dilation, whose matrices are only what the kernels are made by', () => {
    const dilated = { ...child, encoder: child.encoder.map((level) => ({ ...level, dilation: 3 as const })) };
    const [plain, mixed] = [child, dilated].map((each) => networkOf(each, dimensions));
    expect(elementCount(mixed.parameters)).toBe(elementCount(plain.parameters));
    const matrices = elementCount(sharedParameters([mixed])) - elementCount(sharedParameters([plain]));
    expect(matrices).toBe(5 * 2 * 27 ** 2);
  });
});

test('a weight that a walk meets twice is one; weights of other names than a child has keep the order of the walk', () => {
  const kernel = (name: string) => ({ name, channels: 3, size: [1, 3, 3] as const });
  const network = defineNetwork({
    inputChannels: 3,
    classes: 3,
    supervised: [{ stride: [1, 1, 1], weight: 1 }],
    walk: (operations, image) => {
      const once = operations.convolution(image, kernel('late'));
      const twice = operations.convolution(once, kernel('late'));
      return [operations.convolution(twice, { ...kernel('early'), size: [1, 1, 1], bias: 'bias' })];
    },
  });
  expect(recordParameters(network, { deepSupervision: false })).toEqual([
    { name: 'late', kind: 'kernel', shape: [3, 3, 1, 3, 3] },
    { name: 'early', kind: 'kernel', shape: [3, 3, 1, 1, 1] },
    { name: 'bias', kind: 'shift', shape: [3] },
  ]);
});

test('two weights of one name and different shapes are refused', () => {
  const network = defineNetwork({
    inputChannels: 1,
    classes: 2,
    supervised: [{ stride: [1, 1, 1], weight: 1 }],
    walk: (operations, image) => {
      const features = operations.convolution(image, { name: 'same', channels: 2, size: [3, 3, 3] });
      return [operations.convolution(features, { name: 'same', channels: 2, size: [3, 3, 3] })];
    },
  });
  expect(() => network.parameters).toThrow(/two weights called 'same', of \[2,1,3,3,3\] and \[2,2,3,3,3\]/);
});
