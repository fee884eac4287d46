import { clone, memory, scope, tensor } from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import { architectureSchema } from '../../src/architecture/architecture.ts';
import { forward } from '../../src/network/forward.ts';
import { networkOf, parametersOf } from '../../src/network/of-architecture.ts';
import { createWeights, freeNetworkWeights, networkWeights } from '../../src/network/weights.ts';
import { joinedWeights, joinedWith, keepCoarse, withoutCoarse } from '../../src/search/joining.ts';
import { unet } from '../architecture/unet.ts';
import { narrow, reference } from '../network/peer.ts';

const { child: base } = reference.children['the base'];
const { child: dilated } = reference.children['skips from finer and coarser levels, of odd volumes'];
const context = { dimensions: narrow, downsampling: [1, 2, 2] } as const;
const children = [
  { architecture: base, reward: 0.5 },
  { architecture: dilated, reward: 0.6 },
];
const shared = createWeights(parametersOf([base, dilated], narrow, { mixes_taps: true }), 'cpu', 1);
const shape = [1, narrow.inputChannels, 9, 21, 17];
const image = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => Math.sin(i));

describe('what a coarse part has found', () => {
  it('is its best child, whose weights stay as they were', () => {
    const kept = keepCoarse(context, shared, children) ?? expect.fail();
    expect(kept.coarse).toEqual({ downsampling: [1, 2, 2], network: dilated });
    const network = networkOf(dilated, narrow);
    const own = networkWeights(network, shared, 'float32');
    scope(() => {
      const volume = tensor(image, shape);
      const [ofShared, ofKept] = [own, kept.weights].map((weights) => forward(network, weights, volume)[0].toNumbers());
      expect(ofKept).toEqual(ofShared);
    });
    for (const [name, copied] of kept.weights) expect(copied).not.toBe(shared.get(name));
    freeNetworkWeights(own, shared);
    for (const copied of kept.weights.values()) copied.free();
  });

  it('is nothing where there is none, and where it is no child', () => {
    expect(keepCoarse(context, shared, [])).toBeUndefined();
    expect(keepCoarse({ dimensions: narrow }, shared, children)).toBeUndefined();
    expect(keepCoarse(context, shared, [{ architecture: unet, reward: 1 }])).toBeUndefined();
  });
});

describe('a joined network', () => {
  it('is one with the coarse child beside it at each share of their mean, the even one first; other kinds have none', () => {
    const kept = keepCoarse(context, shared, children) ?? expect.fail();
    const joined = joinedWith({ architecture: base }, kept);
    expect(joined.map(({ architecture }) => architecture)).toEqual(
      [0.5, 0.25].map((share) => ({ ...base, coarse: { ...kept.coarse, fine_share: share } })),
    );
    for (const { architecture } of joined) expect(architectureSchema.parse(architecture)).toEqual(architecture);
    expect(joinedWith({ architecture: unet }, kept)).toEqual([]);
    for (const copied of kept.weights.values()) copied.free();
  });

  it("has the child's own weights and those of the coarse one, and frees all that it took", () => {
    const before = memory().tensors;
    const kept = keepCoarse(context, shared, children) ?? expect.fail();
    const [both] = joinedWith({ architecture: base }, kept);
    const weights = joinedWeights(shared, kept);
    const own = networkWeights(networkOf(both.architecture, narrow), weights, 'float32');
    scope(() => {
      const volume = tensor(image, shape);
      // Without the coarse one, the same weights make the child's own logits.
      const alone = networkOf(base, narrow);
      const [ofShared, ofBoth] = [shared, weights].map((of) => forward(alone, of, volume)[0].toNumbers());
      expect(ofBoth).toEqual(ofShared);
    });
    const fine = withoutCoarse(scope(() => new Map(Array.from(own, ([name, tensor]) => [name, clone(tensor)]))));
    const names = networkOf(base, narrow).parameters.map(({ name }) => name);
    expect([...fine.keys()].toSorted()).toEqual(names.toSorted());
    for (const [name, tensor] of fine) expect(tensor.toNumbers()).toEqual(own.get(name)?.toNumbers());
    for (const tensor of fine.values()) tensor.free();
    freeNetworkWeights(own, weights);
    for (const copied of kept.weights.values()) copied.free();
    expect(memory().tensors).toBe(before);
  });
});
