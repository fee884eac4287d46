import { type Convolving, convolutionType } from './convolution.ts';
import { fromSubVolumes, toSubVolumes } from './operations.ts';
import type { Tensor } from './tensor.ts';

/**
 * How volumes of a `size` (depth, height, width) are interleaved: as the `dilation`^3 sub-volumes that hold every `dilation`-th
 * voxel along each axis. A convolution of that dilation is an undilated one of each of them. With a dilation of 1 the volumes stay
 * as they are.
 */
export interface Interleaving {
  readonly dilation: number;
  readonly size: readonly number[];
}

/**
 * How volumes are best interleaved on their way through convolutions that follow each other, all as described.
 *
 * Only oneDNN is helped, so bfloat16 and 3x3x3 kernels on a processor: its gradients of a dilated convolution take three to six times as long as those
 * of an undilated one. This package's own convolution, which float32 goes to, takes any dilation at one price. Sub-volumes of
 * one or two voxels along an axis are not made: they would be mostly padding.
 */
export function interleavingFor({ size, planes, dilation, dataType, device }: Convolving): Interleaving {
  const subVolume = subVolumeSize({ dilation, size });
  const pays =
    dilation > 1 &&
    planes === 3 &&
    device === 'cpu' &&
    dataType === 'bfloat16' &&
    subVolume.every((extent) => extent > 2) &&
    convolutionType({ size: subVolume, planes, dilation: 1, dataType, device }) === 'bfloat16';
  return { dilation: pays ? dilation : 1, size };
}

/** Depth, height and width of each sub-volume, padding included. */
export function subVolumeSize({ dilation, size }: Interleaving): readonly number[] {
  return size.map((extent) => Math.ceil(extent / dilation));
}

/**
 * `[batch, channel, ...size]` as its sub-volumes, `[batch * dilation^3, channel, ...size / dilation]` in channels_last_3d. Where the
 * size is no multiple of the dilation, it is rounded up: the shorter sub-volumes are padded with 0 at their far ends. On a
 * processor only.
 */
export function interleave(volume: Tensor, { dilation }: Interleaving): Tensor {
  return dilation === 1 ? volume : toSubVolumes(volume, dilation);
}

/** The way back: `[batch, channel, ...size]`, without the padding. */
export function deinterleave(subVolumes: Tensor, { dilation, size }: Interleaving): Tensor {
  return dilation === 1 ? subVolumes : fromSubVolumes(subVolumes, dilation, size);
}
