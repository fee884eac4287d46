import { type Interleaving, scope, tensor } from '@ronasmis/libtorch';
import { describe, expect, test, vi } from 'vitest';
import { forward } from '../../src/network/forward.ts';
import { networkLoss } from '../../src/network/loss.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { chirp, expectDigest, product } from '../chirp.ts';
import { chirpLabel, chirpWeights, narrow, reference } from './peer.ts';

const { interleavingFor } = vi.hoisted(() => ({ interleavingFor: vi.fn() }));
vi.mock('../../../libtorch/src/interleaving.ts', async (original) => ({
  ...(await original<object>()),
  interleavingFor,
}));

// As in bfloat16, which few processors convolve, but in float32, in which numbers can be compared; and however small a volume is.
interleavingFor.mockImplementation(({ dilation, size }: Interleaving): Interleaving => ({ dilation, size }));

describe.each(Object.entries(reference.children))('%s, interleaved', (_name, { child, size, ...expected }) => {
  test('has the logits, loss and gradients of the same network in PyTorch, which dilates', () => {
    const network = networkOf(child, narrow);
    const weights = chirpWeights(narrow);
    scope(() => {
      const logits = forward(network, weights, chirp(size, 1), { deepSupervision: true });
      logits.forEach((level, i) => {
        expectDigest(level, expected.logits[i], 1e-4);
      });
      const shape = [size[0], ...size.slice(2)];
      const loss = networkLoss(network, logits, tensor(chirpLabel(product(shape), 3, 3), shape));
      expect(loss.item()).toBeCloseTo(expected.loss, 5);
      loss.backward();
      for (const [name, gradient] of Object.entries(expected.gradients)) {
        const found = weights.get(name)?.gradient;
        if (!found) throw new Error(`${name} has no gradient.`);
        expectDigest(found, gradient, 1e-3);
      }
    });
    const asked = interleavingFor.mock.calls.map(([{ dilation }]) => dilation);
    expect(asked).toEqual([...child.encoder, ...child.decoder.toReversed()].map(({ dilation }) => dilation));
    interleavingFor.mockClear();
  });
});
