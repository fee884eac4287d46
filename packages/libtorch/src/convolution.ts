import { conv3d, oneDnnConvolution } from './operations.ts';
import type { Tensor } from './tensor.ts';

/** libtorch's builds for these processors have oneDNN. */
const hasOneDnn = process.arch === 'x64';

/**
 * A 3D convolution of stride 1 that keeps the volume's size: `[batch, in, depth, height, width]` with a kernel
 * `[out, in, k, k, k]` of odd `k` gives `[batch, out, depth, height, width]`.
 *
 * On a processor it takes oneDNN's kernel in all cases: libtorch's `conv3d` leaves a batch of one small volume in float32 to
 * a path that is about ten times slower.
 */
export function convolution3d(input: Tensor, kernel: Tensor, bias: Tensor | null = null, dilation = 1): Tensor {
  const [, , size] = kernel.shape;
  const padding = (dilation * (size - 1)) / 2;
  if (!hasOneDnn || input.device !== 'cpu') return conv3d(input, kernel, bias, 1, padding, dilation);
  return oneDnnConvolution(input, kernel, bias, triple(padding), triple(1), triple(dilation), 1);
}

function triple(value: number): readonly number[] {
  return [value, value, value];
}
