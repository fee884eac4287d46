import { keep, scope, type Tensor, tensor } from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import type { NetworkDimensions } from '../../src/architecture/dimensions.ts';
import { costOf } from '../../src/network/cost.ts';
import { forward } from '../../src/network/forward.ts';
import { networkLoss } from '../../src/network/loss.ts';
import type { Network } from '../../src/network/network.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import type { Weights } from '../../src/network/weights.ts';
import { chirp, product } from '../chirp.ts';
import { chirpLabel, chirpWeights, microReference, narrow, reference, sharedBy } from './peer.ts';

const flat: NetworkDimensions = { ...narrow, flatLevels: 2 };

/** The same network by kernels of three planes, of which the outer ones are 0. */
function padded(weights: Weights, space: ChildArchitecture['space']): Weights {
  const shapes = new Map(sharedBy(space, narrow).map(({ name, shape }) => [name, shape]));
  const pad = ([name, flatKernel]: readonly [string, Tensor]): [string, Tensor] => {
    const shape = shapes.get(name) ?? [];
    if (shape.length < 5 || product(shape) === product(flatKernel.shape)) return [name, flatKernel];
    const values = flatKernel.toNumbers();
    const padded = Float32Array.from({ length: product(shape) }, (_, i) =>
      Math.floor(i / 9) % 3 === 1 ? values[Math.floor(i / 27) * 9 + (i % 9)] : 0,
    );
    const kernel = keep(() => tensor(padded, shape));
    kernel.requiresGradient = true;
    return [name, kernel];
  };
  return new Map(Array.from(weights, pad));
}

/** The logits of all levels, the loss, and the gradient of each weight that has one. */
function trained(weights: Weights, network: Network): ReadonlyMap<string, readonly number[]> {
  return scope(() => {
    const logits = forward(network, weights, chirp([1, 2, 10, 35, 33], 1), { deepSupervision: true });
    const loss = networkLoss(network, logits, tensor(chirpLabel(10 * 35 * 33, 3, 3), [1, 10, 35, 33]));
    loss.backward();
    const gradients = Array.from(weights, ([name, leaf]): [string, readonly number[]] => {
      const values = leaf.gradient?.toNumbers() ?? [];
      leaf.clearGradient();
      return [name, values];
    });
    return new Map([['logits', logits.flatMap((level) => level.toNumbers())], ['loss', [loss.item()]], ...gradients]);
  });
}

describe.each([
  ['two convolutions a level', reference.children['skips from finer and coarser levels, of odd volumes'].child],
  ['cells', microReference.children['every operation, of odd volumes'].child],
] as const)('with %s', (_name, child) => {
  const weights = chirpWeights(flat, child.space);

  test('flat kernels do what kernels of three planes do whose outer planes are 0, gradients included', () => {
    const wide = padded(weights, child.space);
    const changed = [...wide].filter(([name, kernel]) => kernel !== weights.get(name)).map(([name]) => name);
    expect(changed.length).toBeGreaterThan(5);
    const [found, expected] = [trained(weights, networkOf(child, flat)), trained(wide, networkOf(child, narrow))];
    for (const [name, values] of found) {
      const all = expected.get(name) ?? [];
      const exact = changed.includes(name) ? all.filter((_, i) => Math.floor(i / 9) % 3 === 1) : all;
      expect(values.length, name).toBe(exact.length);
      const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
      const off = exact.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i])), 0);
      expect(off / largest, name).toBeLessThan(1e-3);
    }
  });

  test('what they reach no more is not counted either', () => {
    const [found, plain] = [flat, narrow].map((dimensions) => costOf(networkOf(child, dimensions)).multiplyAdds);
    expect(found).toBeLessThan(0.7 * plain);
    // Levels that are not flat cost what they did.
    const deep = [flat, narrow].map(
      ({ channels, ...counts }) =>
        costOf(networkOf(child, { ...counts, channels: channels.map((width, level) => (level < 2 ? 1e-9 : width)) }))
          .multiplyAdds,
    );
    expect(deep[0]).toBeCloseTo(deep[1], 3);
  });
});
