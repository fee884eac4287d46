import { readFileSync } from 'node:fs';
import type { Tensor } from '@ronasmis/libtorch';
import type { ChildArchitecture, MacroArchitecture, MicroArchitecture } from '../../src/architecture/architecture.ts';
import type { NetworkDimensions } from '../../src/architecture/dimensions.ts';
import type { Network } from '../../src/network/network.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { type Parameter, sharedParameters } from '../../src/network/parameters.ts';
import { createWeights, type Weights } from '../../src/network/weights.ts';
import { createSpace } from '../../src/space/spaces.ts';
import { type Digest, fillWithChirp, product } from '../chirp.ts';

interface ChildReference<Child extends ChildArchitecture> {
  readonly child: Child;
  readonly size: readonly number[];
  readonly logits: readonly Digest[];
  readonly loss: number;
  readonly gradients: Record<string, Digest>;
}

interface LossReference {
  readonly shape: readonly number[];
  readonly present: number;
  readonly loss: number;
  readonly gradient: Digest;
}

interface Reference<Child extends ChildArchitecture> {
  readonly children: Record<string, ChildReference<Child>>;
  /** The finest logits of the base, and of it with one choice changed, by the choice's name. */
  readonly choices: Record<string, Digest>;
  readonly losses: readonly LossReference[];
  readonly multiply_adds: Record<string, number>;
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../reference/${name}`, import.meta.url), 'utf8'));

/** Values of PyTorch 2.15.0 and MONAI 1.6.1, written by reference/network.py, which says what they are. */
export const reference: Reference<MacroArchitecture> & { readonly losses: readonly LossReference[] } =
  read('network.json');

/** The same of children of the micro space, by reference/micro.py. */
export const microReference: Reference<MicroArchitecture> = read('micro.json');

/** A narrow network: fast, and each level of another width. */
export const narrow: NetworkDimensions = { inputChannels: 2, classes: 3, channels: [4, 6, 8, 10, 12], flatLevels: 0 };

/** What all children of a space share, in the order of its list. */
export function sharedBy(space: ChildArchitecture['space'], dimensions: NetworkDimensions): readonly Parameter[] {
  const { covering } = createSpace(space, [40, 40, 40], dimensions);
  return sharedParameters(covering.map((child) => networkOf(child, dimensions)));
}

/** The weights that all children of a space share, as a search makes them. */
export function spaceWeights(space: ChildArchitecture['space'], dimensions: NetworkDimensions, seed: number): Weights {
  return createWeights(sharedBy(space, dimensions), 'cpu', seed);
}

/** Names of the weights that a network predicts by. */
export const predictingNames = ({ parameters }: Pick<Network, 'parameters'>): readonly string[] =>
  parameters.map(({ name }) => name);

/** Names of the weights that a network is trained by: the heads of deep supervision as well. */
export const trainedNames = ({ parameters, auxiliaryParameters }: Network): readonly string[] =>
  [...parameters, ...auxiliaryParameters].map(({ name }) => name);

/** The decoder levels whose logits a child is supervised by, the finest first. */
export const supervisedLevels = [0, 1, 2] as const;

/** Weights that the reference has too, by the order that the network lists them in. */
export function chirpWeights(dimensions: NetworkDimensions, space: ChildArchitecture['space'] = 'macro'): Weights {
  const weights = spaceWeights(space, dimensions, 0);
  [...weights].forEach(([name, weight], position) => {
    fillWithChirp(weight, position, changeFor(name, weight));
  });
  return weights;
}

function changeFor(name: string, weight: Tensor): (value: number) => number {
  const fanIn = product(weight.shape.slice(1));
  if (weight.shape.length > 1) return (value) => (value * 2) / Math.sqrt(fanIn);
  return name.includes('scale') ? (value) => 1 + 0.2 * value : (value) => 0.2 * value;
}

/** Class of each voxel, [batch, depth, height, width], as reference/network.py makes it. */
export function chirpLabel(length: number, classes: number, phase: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => {
    const value = ((Math.sin(0.7 * i * i + phase) + 1) / 2) * classes;
    return Math.min(Math.trunc(value), classes - 1);
  });
}
