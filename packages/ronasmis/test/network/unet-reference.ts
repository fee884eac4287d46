import { readFileSync } from 'node:fs';
import type { UNet } from '../../src/architecture/unet.ts';
import type { Network } from '../../src/network/network.ts';
import { unetNetwork } from '../../src/network/unet.ts';
import { createWeights, type Weights } from '../../src/network/weights.ts';
import { type Digest, fillWithChirp, product } from '../chirp.ts';

interface UNetReference {
  readonly architecture: UNet;
  readonly size: readonly number[];
  /** Of the supervised stages, the finest first. */
  readonly logits: readonly Digest[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Digest>>;
  /** How many numbers the network is, but those that the product leaves out. */
  readonly parameters: number;
  readonly multiply_adds: number;
}

/** Values of PyTorch 2.15.0 and nnU-Net's library of networks, written by reference/unet.py, which says what they are. */
export const references: Readonly<Record<string, UNetReference>> = JSON.parse(
  readFileSync(new URL('../reference/unet.json', import.meta.url), 'utf8'),
);

export const scan = { inputChannels: 2, classes: 3 };

/** A network of the reference, and the weights that it has there. */
export function withWeights(architecture: UNet): { readonly network: Network; readonly weights: Weights } {
  const network = unetNetwork(architecture, scan);
  const weights = createWeights([...network.parameters, ...network.auxiliaryParameters], 'cpu', 0);
  for (const [name, weight] of weights) {
    const phase = Array.from(name, (letter) => letter.charCodeAt(0)).reduce((sum, code) => sum + code, 0) % 97;
    const isKernel = weight.shape.length > 1;
    const factor = isKernel ? 2 / Math.sqrt(product(weight.shape.slice(1))) : 0.2;
    fillWithChirp(weight, phase, (value) => factor * value + (name.includes('scale') ? 1 : 0));
  }
  return { network, weights };
}
