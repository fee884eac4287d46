import { call } from './operation.ts';
import {
  contiguous,
  conv3d,
  linear,
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

/**
 * Whether oneDNN's bfloat16 gradient of a 3x3x3 kernel can be trusted with volumes of this shape, of a strided one the depth of what it makes; seen in PyTorch 2.15.0 too.
 * - One or two planes: it is made of memory that oneDNN never wrote, so NaN now and then (avx512_bf16 and AMX).
 * - Few planes of many rows, with AMX: it is wrong by a tenth or more (4 x 48 x 48 of 128 channels, 6 x 64 x 64 of 64), NaN (5 x 64 x 64
 *   of 32, 3 x 32 x 32 of 128) or a segmentation fault (8 x 256 x 256, 4 x 128 x 128 and 8 x 100 x 100 of 16).
 *
 * It was right wherever it was tried with up to 16 rows, and with ten planes or more. float32 serves the others.
 */
export function oneDnnGradientIsSound([depth, height]: readonly number[]): boolean {
  return depth >= soundDepth || (depth > 2 && height <= 16);
}

/** Planes from which oneDNN's bfloat16 gradient of a 3x3x3 kernel is right, whatever the rows. */
const soundDepth = 10;
/** Planes from which a volume is filled up to so many in place of being convolved in float32. With AMX that is twice as fast at 8, a third at 4, which would take 2.5 times the memory. */
const fewestFilledPlanes = 6;

/**
 * The depth at which a processor convolves bfloat16 volumes in bfloat16; undefined where it does so in float32. Kernels of
 * one plane are convolved slice by slice, which oneDNN was right in wherever it was tried (5,000 shapes). For others, thin volumes are filled up with
 * planes of 0 where that pays; and what dilation could not be interleaved away (too small a volume) is neither fast by oneDNN nor always right: it was
 * NaN on thin volumes.
 */
function bfloat16Depth({ size: [depth, height], planes, dilation }: Convolving): number | undefined {
  if (!oneDnnTakesBfloat16()) return undefined;
  if (planes === 1) return depth;
  if (dilation > 1) return undefined;
  if (oneDnnGradientIsSound([depth, height])) return depth;
  return depth >= fewestFilledPlanes ? soundDepth : undefined;
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

/** What {@link stridedConvolution3d} is computed by, as far as it matters for how. */
export interface Striding extends Omit<Convolving, 'dilation'> {
  readonly stride: readonly number[];
}

/** The type that {@link stridedConvolution3d} computes in. */
export function stridedConvolutionType({ size, planes, stride, dataType, device }: Striding): DataType {
  if (device !== 'cpu') return dataType;
  const [depth, height, width] = size;
  const isSound = planes === 1 ? stride[0] === 1 : oneDnnGradientIsSound([Math.ceil(depth / stride[0]), height]);
  // Of slices narrower than 3 voxels, oneDNN's strided bfloat16 was NaN.
  const isWide = height > 2 && width > 2;
  return dataType === 'bfloat16' && isSound && isWide && oneDnnTakesBfloat16() ? 'bfloat16' : 'float32';
}

/** How {@link convolution3d} computes, as far as it matters for the memory that it takes. */
export interface ConvolutionPlan {
  /** Where it is not that of the volumes, input and kernel are converted to it, and the result back. */
  readonly type: DataType;
  /** Of the volumes as they are convolved: thin ones are filled up for oneDNN. */
  readonly depth: number;
}

/** How {@link convolution3d} computes a convolution of such volumes. */
export function convolutionPlan(convolving: Convolving): ConvolutionPlan {
  const { size, dataType, device } = convolving;
  if (device !== 'cpu') return { type: dataType, depth: size[0] };
  const depth = dataType === 'bfloat16' ? bfloat16Depth(convolving) : undefined;
  return depth === undefined ? { type: 'float32', depth: size[0] } : { type: 'bfloat16', depth };
}

/**
 * A convolution of stride 1 that keeps the volume's size: `[batch, in, depth, height, width]` with a kernel
 * `[out, in, planes, rows, columns]`, each of them 3 or 1, gives `[batch, out, depth, height, width]`. Best are 3x3x3 and 1x3x3, as which
 * a processor computes kernels that are thin within the plane.
 *
 * On a processor float32 is convolved by this package's own code (native/kernels), at one price for every dilation, and bfloat16
 * by oneDNN where it has units for it, since libtorch's `conv3d` leaves a batch of one small volume to a path that is about ten
 * times slower. Elsewhere other types are convolved in float32.
 */
export function convolution3d(input: Tensor, kernel: Tensor, dilation = 1): Tensor {
  const { device, dataType, shape } = input;
  if (device !== 'cpu') return conv3d(input, kernel, { padding: margins(kernel, dilation), dilation });
  const filled = fillPlane(kernel);
  if (dataType === 'float32') return winogradConvolution(input, filled, dilation);
  const [, , planes] = filled.shape;
  const { type, depth } = convolutionPlan({ size: shape.slice(2), planes, dilation, dataType, device });
  if (type === 'bfloat16') {
    if (planes === 1) return convolveSlices(input, filled, { stride: ones, dilation });
    return atDepth(depth, input, (deep) =>
      oneDnnConvolution(deep, filled, { padding: ones, stride: ones, dilation: ones, groups: 1 }),
    );
  }
  return inFloat32(input, filled, (wide, kernel) => winogradConvolution(wide, kernel, dilation));
}

/** What is added on both sides of each axis so that a convolution of stride 1 keeps the size. */
const margins = ({ shape: [, , ...size] }: Tensor, dilation: number): readonly number[] =>
  size.map((extent) => (dilation * (extent - 1)) / 2);

/** What `convolve` makes of volumes that are filled up to this depth with planes of 0, in so many planes as they have. */
function atDepth(depth: number, input: Tensor, convolve: (input: Tensor) => Tensor): Tensor {
  const planes = input.shape[2];
  if (depth === planes) return convolve(input);
  const behind = (count: number): readonly number[] => [0, 0, 0, 0, 0, count];
  // Cut by padding as well, for the gradient of a narrowed volume is in another layout.
  return scope(() => pad(convolve(pad(input, behind(depth - planes))), behind(planes - depth)));
}

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
 * On a processor it is computed by oneDNN in libtorch's builds for x64: bfloat16 as it is where its gradients are right
 * (see {@link oneDnnGradientIsSound}), by kernels of one plane slice by slice, else in float32.
 */
export function stridedConvolution3d(input: Tensor, kernel: Tensor, stride: readonly number[]): Tensor {
  const padding = margins(kernel, 1);
  const { device, dataType, shape } = input;
  if (device !== 'cpu') return conv3d(input, kernel, { stride, padding });
  const [, , planes] = kernel.shape;
  const type = stridedConvolutionType({ size: shape.slice(2), planes, stride, dataType, device });
  if (type === 'bfloat16') {
    const filled = fillPlane(kernel);
    if (planes === 1) return convolveSlices(input, filled, { stride, dilation: 1 });
    return oneDnnConvolution(input, filled, { padding: ones, stride, dilation: ones, groups: 1 });
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
