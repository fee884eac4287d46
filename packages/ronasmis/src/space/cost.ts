import type { Architecture } from '../architecture/architecture.ts';
import { operations } from '../architecture/cell.ts';
import { kernelDepth, type NetworkDimensions } from '../architecture/dimensions.ts';

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
 * Counts the convolutions of blocks and cells and the 1x1x1 ones of decoder and skips.
 */
export function multiplyAddsPerVoxel(architecture: Architecture, dimensions: NetworkDimensions): number {
  const { channels, inputChannels } = dimensions;
  const taps = (level: number, edge: number): number => kernelDepth(dimensions, level, edge) * edge ** 2;
  const volumes = relativeVolumes(architecture);
  const encoder = channels.map((width, level) => {
    const from = level === 0 ? inputChannels : channels[level - 1];
    const matching = architecture.space === 'macro' ? 0 : taps(level, level === 0 ? 3 : 1) * from * width;
    return (matching + block(architecture, from, width, (edge) => taps(level, edge))) * volumes[level];
  });
  const decoder = architecture.decoder.map(({ skips }, level) => {
    const below = channels[level + 1] * channels[level] * volumes[level + 1];
    const added = skips.map((from) => channels[from] * channels[level] * Math.min(volumes[from], volumes[level]));
    const own = block(architecture, channels[level], channels[level], (edge) => taps(level, edge)) * volumes[level];
    return own + below + total(added);
  });
  return total(encoder) + total(decoder);
}

/** For one voxel of the level: two convolutions, or those of the cell; `taps` gives those of a kernel of so many voxels a side. */
function block(architecture: Architecture, from: number, width: number, taps: (edge: number) => number): number {
  switch (architecture.space) {
    case 'macro':
      return taps(3) * width * (from + width);
    case 'micro':
      return total(architecture.cell.flat().map(({ operation }) => taps(operations[operation].kernel))) * width ** 2;
  }
}

/**
 * Elements that the convolutions and the poolings of cells keep for the way back, for one voxel of the input: what a child's training
 * memory is nearly proportional to.
 */
export function activationsPerVoxel(architecture: Architecture, { channels }: NetworkDimensions): number {
  const volumes = relativeVolumes(architecture);
  // A block a level on the way down, and one on the way up but for the lowest level.
  return total(
    channels.map(
      (width, level) => (level === channels.length - 1 ? 1 : 2) * volumesOfBlock(architecture) * width * volumes[level],
    ),
  );
}

/** Volumes of the level's width that a block keeps: of its two convolutions, or of a cell's input and operations. */
function volumesOfBlock(architecture: Architecture): number {
  if (architecture.space === 'macro') return 2;
  return 1 + total(architecture.cell.flat().map(({ operation }) => operations[operation].kept));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
