import type { NetworkDimensions } from '../network/dimensions.ts';
import type { Architecture } from './architecture.ts';

/** Taps of a 3x3x3 convolution. */
const taps = 27;

/** Voxels of each encoder level for one voxel of the input: the inverse of all strides above it. */
export function relativeVolumes(architecture: Pick<Architecture, 'encoder'>): number[] {
  let volume = 1;
  return architecture.encoder.map(({ pool }) => {
    volume /= pool.depth * pool.plane * pool.plane;
    return volume;
  });
}

/**
 * Multiply-adds of a child's forward pass for one voxel of the input: what its time is nearly proportional to.
 * Counts the 3x3x3 convolutions and the 1x1x1 ones of decoder and skips.
 */
export function multiplyAddsPerVoxel(
  architecture: Architecture,
  { channels, inputChannels }: NetworkDimensions,
): number {
  const volumes = relativeVolumes(architecture);
  const encoder = channels.map((width, level) => {
    const from = level === 0 ? inputChannels : channels[level - 1];
    return taps * width * (from + width) * volumes[level];
  });
  const decoder = architecture.decoder.map(({ skips }, level) => {
    const below = channels[level + 1] * channels[level] * volumes[level + 1];
    const added = skips.map((from) => channels[from] * channels[level] * Math.min(volumes[from], volumes[level]));
    return 2 * taps * channels[level] ** 2 * volumes[level] + below + total(added);
  });
  return total(encoder) + total(decoder);
}

/** Elements of the convolutions' outputs for one voxel of the input: what a child's training memory is nearly proportional to. */
export function activationsPerVoxel(
  architecture: Pick<Architecture, 'encoder'>,
  { channels }: NetworkDimensions,
): number {
  const volumes = relativeVolumes(architecture);
  // Two convolutions a level on the way down, and two on the way up but for the lowest level.
  return total(channels.map((width, level) => (level === channels.length - 1 ? 2 : 4) * width * volumes[level]));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
