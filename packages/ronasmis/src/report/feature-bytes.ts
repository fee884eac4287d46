import type { Architecture } from '../architecture/architecture.ts';
import type { NetworkDimensions } from '../architecture/dimensions.ts';
import { patchOf } from '../architecture/patch.ts';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import { sum } from '../base/statistics.ts';
import { closedNetwork } from '../network/closed.ts';
import type { Kernel, Operations } from '../network/operations.ts';

/** Bytes of what a level of the encoder and of the decoder keeps for the backward pass. */
export interface LevelBytes {
  readonly encoder: number;
  readonly decoder: number;
}

/** Features, of which only how many there are is known; and the part of the network that made them. */
interface Extent {
  readonly channels: number;
  readonly voxels: number;
  readonly place: string;
}

/**
 * Bytes of the features that each level keeps for the backward pass of one training patch, to which the memory of training is nearly
 * proportional: a walk through the network that counts what norms, activations and concatenations keep, as network/cost.ts does for all levels
 * together. The places are told by the names of the weights. Undefined where the cells are yet to be found.
 */
export function featureBytes(
  architecture: Architecture,
  dimensions: NetworkDimensions,
  bytesPerElement: number,
): readonly LevelBytes[] | undefined {
  if (architecture.kind === 'open_cells') return undefined;
  // Nothing of a coarse network beside it is trained.
  const trained = architecture.kind === undefined ? { ...architecture, coarse: undefined } : architecture;
  const kept = new Map<string, number>();
  const network = closedNetwork(trained, dimensions);
  const image = { channels: network.inputChannels, voxels: voxelsOf(patchOf(architecture)), place: 'encoder.0' };
  network.walk(countingOperations(kept), image, { deepSupervision: false });
  const levels = 1 + Math.max(...Array.from(kept.keys(), (place) => Number(place.split('.')[1])));
  const bytes = (part: string, level: number): number =>
    bytesPerElement * Math.round(kept.get(`${part}.${level}`) ?? 0);
  return Array.from({ length: levels }, (_, level) => ({
    encoder: bytes('encoder', level),
    decoder: bytes('decoder', level),
  }));
}

function countingOperations(kept: Map<string, number>): Operations<Extent> {
  const keep = (features: Extent): Extent => {
    const { place, channels, voxels } = features;
    kept.set(place, (kept.get(place) ?? 0) + channels * voxels);
    return features;
  };
  const convolve = (from: Extent, { name, channels }: Kernel, stride: Triple = [1, 1, 1]): Extent => ({
    channels,
    voxels: from.voxels / voxelsOf(stride),
    place: placeOf(name) ?? from.place,
  });
  return {
    downsample: (from, stride) => ({ ...from, voxels: from.voxels / voxelsOf(stride) }),
    convolutionBlock: (features, layers) => layers.reduce((from, { kernel }) => keep(convolve(from, kernel)), features),
    convolution: convolve,
    transposedConvolution: (_from, kernel, like) => ({
      ...like,
      channels: kernel.channels,
      place: placeOf(kernel.name) ?? like.place,
    }),
    upsampleAndAdd: (features, _stride, { voxels }) => ({ ...features, voxels }),
    add: (one) => one,
    scale: (features) => features,
    concatenate: (parts) => keep({ ...parts[0], channels: sum(parts.map(({ channels }) => channels)) }),
    pool: (features) => keep(features),
    normalise: (features, { scale }) => keep({ ...features, place: placeOf(scale) ?? features.place }),
    activate: (features) => keep(features),
    gate: (features) => features,
    scope: (body) => body(),
  };
}

/** The part and level that a weight belongs to, by its name; none of a head. */
const placeOf = (name: string): string | undefined => /^(?:encoder|decoder)\.\d+/.exec(name)?.[0];
