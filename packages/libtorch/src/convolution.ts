import { call } from './operation.ts';
import {
  contiguous,
  conv3d,
  linear,
  oneDnnConvolution,
  permute,
  reshape,
  to,
  winogradConvolution,
} from './operations.ts';
import { type DataType, type Device, scope, type Tensor } from './tensor.ts';

/** Padding, stride and dilation of a 3x3x3 kernel that keep a volume's size. */
const ones = [1, 1, 1];

let bfloat16OneDnn: boolean | undefined;

/** Whether oneDNN convolves bfloat16 on this processor: with AVX-512 or later units, and only in libtorch's builds for x64. */
export function oneDnnTakesBfloat16(): boolean {
  bfloat16OneDnn ??= process.arch === 'x64' && call('mkldnn::_is_mkldnn_bf16_supported', '') === true;
  return bfloat16OneDnn;
}

/**
 * Whether oneDNN's bfloat16 gradient of a 3x3x3 kernel can be trusted with volumes of this shape; seen in PyTorch 2.15.0 too.
 * - One or two planes: it is made of memory that oneDNN never wrote, so NaN now and then (avx512_bf16 and AMX).
 * - Few planes of many rows, with AMX: it is wrong by a tenth or more (4 x 48 x 48 of 128 channels, 6 x 64 x 64 of 64), NaN (5 x 64 x 64
 *   of 32, 3 x 32 x 32 of 128) or a segmentation fault (8 x 256 x 256, 4 x 128 x 128 and 8 x 100 x 100 of 16).
 *
 * It was right wherever it was tried with up to 16 rows, and with ten planes or more. float32 serves the others.
 */
export function oneDnnGradientIsSound([depth, height]: readonly number[]): boolean {
  return depth > 9 || (depth > 2 && height <= 16);
}

/**
 * Whether a processor convolves bfloat16 volumes of this shape (depth, height, width) by kernels of so many planes as they are. What
 * dilation could not be interleaved away (too small a volume) is neither fast by oneDNN nor always right: it was NaN on thin volumes.
 */
export function convolvesBfloat16(shape: readonly number[], dilation: number, planes: number): boolean {
  return planes === 3 && dilation === 1 && oneDnnGradientIsSound(shape) && oneDnnTakesBfloat16();
}

/** A 3x3x3 or 1x3x3 convolution that keeps the size of its volumes, as far as it matters for how it is computed. */
export interface Convolving {
  /** Depth, height and width of the volumes in voxels. */
  readonly size: readonly number[];
  /** Of the kernel, along the depth: 3 or 1. */
  readonly planes: number;
  readonly dilation: number;
  /** Of the volumes. */
  readonly dataType: DataType;
  readonly device: Device;
}

/** The type that {@link convolution3d} computes in. Where it is not that of the volumes, input and kernel are converted to it, and the result back. */
export function convolutionType({ size, planes, dilation, dataType, device }: Convolving): DataType {
  if (device !== 'cpu') return dataType;
  return dataType === 'bfloat16' && convolvesBfloat16(size, dilation, planes) ? 'bfloat16' : 'float32';
}

/**
 * A 3x3x3 convolution of stride 1 that keeps the volume's size, or a 1x3x3 one: `[batch, in, depth, height, width]` with a kernel
 * `[out, in, 3 or 1, 3, 3]` gives `[batch, out, depth, height, width]`.
 *
 * On a processor float32 is convolved by this package's own code (native/kernels), at one price for every dilation, and bfloat16
 * by oneDNN where it has units for it, since libtorch's `conv3d` leaves a batch of one small volume to a path that is about ten
 * times slower. Elsewhere other types are convolved in float32.
 */
export function convolution3d(input: Tensor, kernel: Tensor, dilation = 1): Tensor {
  const [, , planes] = kernel.shape;
  const padding = [planes === 1 ? 0 : dilation, dilation, dilation];
  const { device, dataType, shape } = input;
  if (device !== 'cpu') return conv3d(input, kernel, { padding, dilation });
  if (dataType === 'float32') return winogradConvolution(input, kernel, dilation);
  if (convolutionType({ size: shape.slice(2), planes, dilation, dataType, device }) === 'bfloat16')
    return oneDnnConvolution(input, kernel, { padding: ones, stride: ones, dilation: ones, groups: 1 });
  return scope(() =>
    to(winogradConvolution(to(input, { dataType: 'float32' }), to(kernel, { dataType: 'float32' }), dilation), {
      dataType: input.dataType,
    }),
  );
}

/**
 * A 1x1x1 convolution: `[batch, in, depth, height, width]` with a kernel `[out, in, 1, 1, 1]` and a bias `[out]`.
 *
 * On a processor it is a product of matrices: in channels_last_3d oneDNN takes up to ten times as long for its gradients.
 */
export function pointwiseConvolution3d(input: Tensor, kernel: Tensor, bias?: Tensor): Tensor {
  if (input.device !== 'cpu') return conv3d(input, kernel, { bias });
  const [to, from] = kernel.shape;
  return permute(linear(permute(input, [0, 2, 3, 4, 1]), reshape(kernel, [to, from]), { bias }), [0, 4, 1, 2, 3]);
}

/**
 * The same kernel `[out, in, depth, height, width]`, in memory as {@link convolution3d} reads it on a processor: `[depth, height, width, in, out]`. Others are
 * brought into that order anew for every convolution.
 */
export function layOutKernel(kernel: Tensor): Tensor {
  return permute(contiguous(permute(kernel, [2, 3, 4, 1, 0])), [4, 3, 0, 1, 2]);
}
