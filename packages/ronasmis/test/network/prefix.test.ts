import { add, averagePooling3d, multiplyScalar, scope, tensor, upsampleAndAdd } from '@ronasmis/libtorch';
import { expect, it } from 'vitest';
import { forward } from '../../src/network/forward.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { createWeights, networkWeights } from '../../src/network/weights.ts';
import { narrow, reference } from './peer.ts';

const { child: fine } = reference.children['skips from finer and coarser levels, of odd volumes'];
const { child: base } = reference.children['the base'];
const downsampling = [1, 2, 2] as const;
const withShare = (share: number | undefined) => ({
  ...fine,
  coarse: { downsampling, network: base, fine_share: share },
});
const shape = [1, narrow.inputChannels, 9, 33, 21];
const image = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => Math.sin(i));

const shares = [
  { share: undefined, of: { own: 1, coarse: 1 } },
  { share: 0.25, of: { own: 0.25, coarse: 0.75 } },
];

it.each(shares)(
  'adds the logits of a network for the mean of cells, whose weights have a prefix, to its own: $of',
  ({ share, of }) => {
    const network = networkOf(withShare(share), narrow);
    const weights = createWeights(network.parameters, 'cpu', 1);
    const coarseNames = networkOf(base, narrow).parameters.map(({ name }) => `coarse.${name}`);
    const fineNames = networkOf(fine, narrow).parameters.map(({ name }) => name);
    expect([...weights.keys()].toSorted()).toEqual([...coarseNames, ...fineNames].toSorted());

    const own = networkWeights(network, weights, 'float32');
    const ofCoarse = new Map(
      coarseNames.map((name) => [name.replace('coarse.', ''), own.get(name) ?? expect.fail(name)]),
    );
    const [found, expected] = scope(() => {
      const volume = tensor(image, shape);
      const [coarse] = forward(networkOf(base, narrow), ofCoarse, averagePooling3d(volume, downsampling));
      const [alone] = forward(networkOf(fine, narrow), own, volume);
      const upsampled = upsampleAndAdd(coarse, downsampling, [9, 33, 21]);
      const sum = add(multiplyScalar(upsampled, of.coarse), multiplyScalar(alone, of.own));
      return [forward(network, own, volume)[0].toNumbers(), sum.toNumbers()];
    });
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.1);
    for (const [at, value] of expected.entries()) expect(found[at]).toBeCloseTo(value, 4);
  },
);

it('has the coarse one in its finest logits alone where several are compared with the label', () => {
  const network = networkOf(withShare(0.5), narrow);
  const alone = networkOf(fine, narrow);
  const weights = createWeights([...network.parameters, ...network.auxiliaryParameters], 'cpu', 1);
  scope(() => {
    const own = networkWeights(network, weights, 'float32', { deepSupervision: true });
    const volume = tensor(image, shape);
    const [joined, single] = [network, alone].map((one) =>
      forward(one, own, volume, { deepSupervision: true }).map((logits) => logits.toNumbers()),
    );
    expect(joined.length).toBe(single.length);
    expect(joined[0]).not.toEqual(single[0]);
    expect(joined.slice(1)).toEqual(single.slice(1));
  });
});
