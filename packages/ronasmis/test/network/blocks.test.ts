import { readFileSync } from 'node:fs';
import { noGradient, scope } from '@ronasmis/libtorch';
import { expect, it } from 'vitest';
import { architectureSchema } from '../../src/architecture/architecture.ts';
import { forward } from '../../src/network/forward.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { createWeights } from '../../src/network/weights.ts';
import { chirp, type Digest, expectDigest, fillWithChirp, product } from '../chirp.ts';
import { narrow } from './peer.ts';

/** Values of PyTorch 2.15.0, written by reference/blocks.py. */
const reference: { readonly child: unknown; readonly size: readonly number[]; readonly logits: Digest } = JSON.parse(
  readFileSync(new URL('../reference/blocks.json', import.meta.url), 'utf8'),
);

it('blocks of one to three convolutions, with shortcuts or without, compute what PyTorch computes', () => {
  const child = architectureSchema.parse(reference.child);
  const network = networkOf(child, narrow);
  const weights = createWeights(network.parameters, 'cpu', 1);
  expect(network.parameters.filter(({ name }) => name.endsWith('.shortcut')).map(({ name }) => name)).toEqual([
    'encoder.0.shortcut',
    'encoder.1.shortcut',
    'encoder.2.shortcut',
  ]);
  [...weights.values()].forEach((weight, position) => {
    const fanIn = product(weight.shape.slice(1));
    const { kind } = network.parameters[position];
    fillWithChirp(weight, position, (value) => {
      if (weight.shape.length > 1) return (value * 2) / Math.sqrt(fanIn);
      return kind === 'scale' ? 1 + 0.2 * value : 0.2 * value;
    });
  });
  noGradient(() =>
    scope(() => expectDigest(forward(network, weights, chirp(reference.size, 1))[0], reference.logits, 2e-4)),
  );
});
