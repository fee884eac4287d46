import { layOutKernel, memory, multiply, noGradient, scope, sumAll, type Tensor, tensor, to } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Network } from '../../src/network/network.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { mixTaps } from '../../src/network/taps.ts';
import { freeNetworkWeights, networkWeights, weight } from '../../src/network/weights.ts';
import { chirp } from '../chirp.ts';
import { randomChildren } from '../space/walk.ts';
import { chirpWeights, narrow, predictingNames, reference } from './peer.ts';

const [out, into, depth, height, width] = [3, 2, 1, 3, 3];
const count = depth * height * width;

/** The definition, in plain loops: out[o, i, t] = sum over s of taps[t, s] kernel[o, i, s]. */
function mixed(kernel: readonly number[], taps: readonly number[]): number[] {
  return kernel.map((_, at) => {
    const [channels, tap] = [Math.floor(at / count), at % count];
    return Array.from({ length: count }, (_, s) => taps[tap * count + s] * kernel[channels * count + s]).reduce(
      (sum, term) => sum + term,
      0,
    );
  });
}

/** A kernel and a matrix that gradients are wanted of. */
function leaves(): readonly [Tensor, Tensor] {
  const both = [layOutKernel(chirp([out, into, depth, height, width], 1)), chirp([count, count], 2)] as const;
  for (const leaf of both) leaf.requiresGradient = true;
  return both;
}

describe('a kernel through a matrix of taps', () => {
  it('has each tap as the weighed sum of all, alike for all channels', () => {
    scope(() => {
      const [kernel, taps] = leaves();
      const found = mixTaps(kernel, taps);
      expect(found.shape).toEqual(kernel.shape);
      mixed(kernel.toNumbers(), taps.toNumbers()).forEach((value, i) => {
        expect(found.toNumbers()[i]).toBeCloseTo(value, 5);
      });
    });
  });

  it('hands gradients on to both, as the definition has them', () => {
    scope(() => {
      const [kernel, taps] = leaves();
      const weighing = chirp([out, into, depth, height, width], 3);
      sumAll(multiply(mixTaps(kernel, taps), weighing)).backward();
      const [k, t, w] = [kernel, taps, weighing].map((one) => one.toNumbers());
      // The sum of w[c, t] taps[t, s] k[c, s] over all, differentiated by k[c, s] and by taps[t, s].
      const transposed = t.map((_, at) => t[(at % count) * count + Math.floor(at / count)]);
      mixed(w, transposed).forEach((value, i) => {
        expect(kernel.gradient?.toNumbers()[i]).toBeCloseTo(value, 4);
      });
      t.forEach((_, at) => {
        const [tap, from] = [Math.floor(at / count), at % count];
        const terms = Array.from({ length: out * into }, (_, c) => w[c * count + tap] * k[c * count + from]);
        const sum = terms.reduce((sum, term) => sum + term, 0);
        expect(taps.gradient?.toNumbers()[at]).toBeCloseTo(sum, 4);
      });
    });
  });
});

/** By the kernels' names, the matrices through which a network takes them. */
function tapsOf({ parameters }: Network): ReadonlyMap<string, string> {
  return new Map(parameters.flatMap(({ name, taps }) => (taps === undefined ? [] : [[name, taps] as const])));
}

describe('the weights of a child', () => {
  const weights = chirpWeights(narrow);

  it('are the shared ones, but for the kernels of dilated levels', () => {
    fc.assert(
      fc.property(randomChildren('macro', [40, 40, 40], narrow), (child) => {
        const network = networkOf(child, narrow);
        const before = memory().tensors;
        const own = noGradient(() => scope(() => networkWeights(network, weights, 'float32')));
        expect([...own.keys()]).toEqual(predictingNames(network));
        const taps = tapsOf(network);
        for (const [name, tensor] of own) {
          const [shared, by] = [weight(weights, name), taps.get(name)];
          if (by === undefined) expect(tensor).toBe(shared);
          else {
            const expected = noGradient(() => scope(() => mixTaps(shared, weight(weights, by)).toNumbers()));
            expect(tensor.toNumbers()).toEqual(expected);
          }
        }
        freeNetworkWeights(own, weights);
        expect(memory().tensors).toBe(before);
      }),
      { numRuns: 10 },
    );
  });

  it('are made by matrices of their own for both convolutions of a level, and none where nothing is dilated', () => {
    const { child } = reference.children['the base'];
    expect(tapsOf(networkOf(child, narrow)).size).toBe(0);
    const decoder = child.decoder.map((level, i) => (i === 2 ? { ...level, dilation: 3 as const } : level));
    expect([...tapsOf(networkOf({ ...child, decoder }, narrow))]).toEqual([
      ['decoder.2.conv1', 'decoder.2.taps1.dilation3'],
      ['decoder.2.conv2', 'decoder.2.taps2.dilation3'],
    ]);
  });

  it('are rounded after they are mixed', () => {
    const { child } = reference.children['the base'];
    const encoder = child.encoder.map((level) => ({ ...level, dilation: 2 as const }));
    noGradient(() =>
      scope(() => {
        const [exact, rounded] = (['float32', 'bfloat16'] as const).map((dataType) =>
          weight(networkWeights(networkOf({ ...child, encoder }, narrow), weights, dataType), 'encoder.1.conv2'),
        );
        expect(rounded.dataType).toBe('bfloat16');
        const values = to(rounded, { dataType: 'float32' }).toNumbers();
        exact.toNumbers().forEach((value, i) => {
          expect(Math.abs(values[i] - value)).toBeLessThanOrEqual(2 ** -8 * Math.abs(value));
        });
      }),
    );
  });
});

it('a matrix of the identity leaves a kernel as it is', () => {
  scope(() => {
    const kernel = layOutKernel(chirp([4, 3, 3, 3, 3], 5));
    const identity = tensor(
      Float32Array.from({ length: 27 * 27 }, (_, i) => (i % 28 === 0 ? 1 : 0)),
      [27, 27],
    );
    expect(mixTaps(kernel, identity).toNumbers()).toEqual(kernel.toNumbers());
  });
});
