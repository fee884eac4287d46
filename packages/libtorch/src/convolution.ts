import { call } from './operation.ts';
import {
  bfloat16Convolution3d,
  contiguous,
  conv3d,
  linear,
  narrow,
  oneDnnConvolution,
  pad,
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

/** A convolution that keeps the size of its volumes, as far as it matters for how it is computed. */
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

/** Of a kernel's planes, those that meet a plane of so thin a volume: where the outer ones lie beside it, the middle one alone. */
const planesMet = (planes: number, depth: number, dilation = 1): number => (depth <= dilation ? 1 : planes);

/** What {@link stridedConvolution3d} is computed by, as far as it matters for how. */
export interface Striding extends Omit<Convolving, 'dilation'> {
  readonly stride: readonly number[];
}

/** The type that {@link stridedConvolution3d} computes in. Where it is not that of the volumes, input and kernel are converted to it, and the result back. */
export function stridedConvolutionType({ size, planes, stride, dataType, device }: Striding): DataType {
  if (device !== 'cpu') return dataType;
  const [depth, height, width] = size;
  // Slices are convolved each for itself, and none is left out.
  const isOfSlices = planes === 1 && depth > 1 && stride[0] > 1;
  // Of slices narrower than 3 voxels, oneDNN's strided bfloat16 was NaN.
  const isWide = height > 2 && width > 2;
  return dataType === 'bfloat16' && !isOfSlices && isWide && oneDnnTakesBfloat16() ? 'bfloat16' : 'float32';
}

/**
 * The type that {@link convolution3d} computes in. Where it is not that of the volumes, input and kernel are converted to it, and the result back.
 *
 * Kernels of one plane are convolved slice by slice, which oneDNN was right in wherever it was tried (5,000 shapes). By others, what dilation could not be
 * interleaved away (too small a volume) is neither fast by oneDNN nor always right: it was NaN on thin volumes.
 */
export function convolutionType({ size: [depth], planes, dilation, dataType, device }: Convolving): DataType {
  if (device !== 'cpu') return dataType;
  const isRight = planesMet(planes, depth, dilation) === 1 || dilation === 1;
  return dataType === 'bfloat16' && isRight && oneDnnTakesBfloat16() ? 'bfloat16' : 'float32';
}

/**
 * A convolution of stride 1 that keeps the volume's size: `[batch, in, depth, height, width]` with a kernel
 * `[out, in, planes, rows, columns]`, each of them 3 or 1, gives `[batch, out, depth, height, width]`. Best are 3x3x3 and 1x3x3, as which
 * a processor computes kernels that are thin within the plane.
 *
 * On a processor float32 is convolved by this package's own code (native/kernels), at one price for every dilation, and bfloat16
 * by oneDNN where it has units for it, since libtorch's `conv3d` leaves a batch of one small volume to a path that is about ten
 * times slower; the gradient of a kernel of three planes is made plane by plane, for oneDNN's own is wrong with AMX where volumes have few planes
 * or many rows. Elsewhere other types are convolved in float32.
 */
export function convolution3d(input: Tensor, kernel: Tensor, dilation = 1): Tensor {
  const { device, dataType, shape } = input;
  if (device !== 'cpu') return conv3d(input, kernel, { padding: margins(kernel, dilation), dilation });
  const met = meeting(fillPlane(kernel), shape[2], dilation);
  if (dataType === 'float32') return winogradConvolution(input, met, dilation);
  const [, , planes] = met.shape;
  if (convolutionType({ size: shape.slice(2), planes, dilation, dataType, device }) === 'bfloat16')
    return planes === 1
      ? convolveSlices(input, met, { stride: ones, dilation })
      : bfloat16Convolution3d(input, met, ones);
  return inFloat32(input, met, (wide, kernel) => winogradConvolution(wide, kernel, dilation));
}

/** What is added on both sides of each axis so that a convolution of stride 1 keeps the size. */
const margins = ({ shape: [, , ...size] }: Tensor, dilation: number): readonly number[] =>
  size.map((extent) => (dilation * (extent - 1)) / 2);

/** By a kernel of one plane, 1x3x3, every slice for itself, for which oneDNN has its fastest code: `[batch * depth, channel, height, width]`. */
function convolveSlices(
  input: Tensor,
  kernel: Tensor,
  { stride: [, ...stride], dilation }: { readonly stride: readonly number[]; readonly dilation: number },
): Tensor {
  const [batch, channels, depth, ...plane] = input.shape;
  const [width] = kernel.shape;
  return scope(() => {
    const slices = reshape(permute(input, [0, 2, 1, 3, 4]), [batch * depth, channels, ...plane]);
    const convolved = oneDnnConvolution(slices, reshape(kernel, [width, channels, 3, 3]), {
      padding: [dilation, dilation],
      stride,
      dilation: [dilation, dilation],
      groups: 1,
    });
    return permute(reshape(convolved, [batch, depth, ...convolved.shape.slice(1)]), [0, 2, 1, 3, 4]);
  });
}

/** Those of a kernel's planes that meet a plane of so thin a volume. */
function meeting(kernel: Tensor, depth: number, dilation = 1): Tensor {
  const [, , planes] = kernel.shape;
  const met = planesMet(planes, depth, dilation);
  return met === planes ? kernel : narrow(kernel, 2, (planes - met) / 2, met);
}

/** A kernel of 3 rows and columns that gives what this one does: where there are fewer, the others are 0. */
function fillPlane(kernel: Tensor): Tensor {
  const [, , , rows, columns] = kernel.shape;
  const [above, beside] = [(3 - rows) / 2, (3 - columns) / 2];
  return above + beside === 0 ? kernel : pad(kernel, [beside, beside, above, above, 0, 0]);
}

/** What `convolve` makes of the two in float32, in the input's own type. */
function inFloat32(input: Tensor, kernel: Tensor, convolve: (input: Tensor, kernel: Tensor) => Tensor): Tensor {
  return scope(() => {
    const [wide, wideKernel] = [input, kernel].map((tensor) => to(tensor, { dataType: 'float32' }));
    return to(convolve(wide, wideKernel), { dataType: input.dataType });
  });
}

/**
 * The convolution of which only every `stride`-th voxel of each axis is kept, the first one too: with a kernel as {@link convolution3d} takes it,
 * `[batch, in, ...size]` gives `[batch, out, ...size / stride]`, rounded up. PyTorch's with a padding of half the kernel, rounded down.
 *
 * On a processor it is computed by oneDNN in libtorch's builds for x64, in {@link stridedConvolutionType}.
 */
export function stridedConvolution3d(input: Tensor, kernel: Tensor, stride: readonly number[]): Tensor {
  const padding = margins(kernel, 1);
  const { device, dataType, shape } = input;
  if (device !== 'cpu') return conv3d(input, kernel, { stride, padding });
  const [, , planes] = kernel.shape;
  const type = stridedConvolutionType({ size: shape.slice(2), planes, stride, dataType, device });
  if (type === 'bfloat16') {
    const met = meeting(fillPlane(kernel), shape[2]);
    return met.shape[2] === 1
      ? convolveSlices(input, met, { stride, dilation: 1 })
      : bfloat16Convolution3d(input, met, stride);
  }
  const convolve = (input: Tensor, kernel: Tensor): Tensor =>
    process.arch === 'x64'
      ? oneDnnConvolution(input, kernel, { padding, stride, dilation: ones, groups: 1 })
      : conv3d(input, kernel, { stride, padding });
  return dataType === 'float32' ? convolve(input, kernel) : inFloat32(input, kernel, convolve);
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
