import { convTranspose3d, expand, linear, permute, reshape, unsqueeze } from './operations.ts';
import { scope, type Tensor } from './tensor.ts';

/**
 * A transposed convolution whose stride is its kernel's size, so that each voxel becomes a cell of voxels and no two cells overlap:
 * `[batch, in, ...size]` with a kernel `[in, out, ...cell]` and a bias `[out]` gives `[batch, out, ...size * cell]`.
 *
 * On a processor it is a product of matrices, whose gradients take a third to a tenth of the time of oneDNN's in channels_last_3d.
 *
 * @param kernel in memory best as `layOutKernel` leaves it
 */
export function transposedConvolution3d(input: Tensor, kernel: Tensor, bias?: Tensor): Tensor {
  const [from, to, ...cell] = kernel.shape;
  if (input.device !== 'cpu') return convTranspose3d(input, kernel, { bias, stride: cell });
  const [batch, , ...size] = input.shape;
  const voxels = cell.reduce((product, extent) => product * extent, 1);
  return scope(() => {
    const matrix = reshape(permute(kernel, [2, 3, 4, 1, 0]), [voxels * to, from]);
    const shift = bias && reshape(expand(unsqueeze(bias, 0), [voxels, to]), [voxels * to]);
    const cells = reshape(linear(permute(input, [0, 2, 3, 4, 1]), matrix, { bias: shift }), [
      batch,
      ...size,
      ...cell,
      to,
    ]);
    const enlarged = size.map((extent, axis) => extent * cell[axis]);
    const joined = reshape(permute(cells, [0, 1, 4, 2, 5, 3, 6, 7]), [batch, ...enlarged, to]);
    return permute(joined, [0, 4, 1, 2, 3]);
  });
}
