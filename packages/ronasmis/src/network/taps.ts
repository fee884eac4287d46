import { linear, permute, reshape, scope, type Tensor } from '@ronasmis/libtorch';

/**
 * A kernel that several dilations share, as one of them takes it: each of its taps is a weighted sum of all, by the same weights for all
 * channels. As "Once-for-all" takes the kernel of one size from that of another (Cai et al. 2020, elastic kernel size: kernel transformation
 * matrices): what is one pattern among neighbouring voxels is another among distant ones.
 *
 * @param kernel `[out, in, depth, height, width]`, in memory as `layOutKernel` leaves it; so is the result
 * @param taps `[taps, taps]`, of `depth * height * width` taps
 */
export function mixTaps(kernel: Tensor, taps: Tensor): Tensor {
  const [out, into, ...size] = kernel.shape;
  return scope(() => {
    const byTap = reshape(permute(kernel, [2, 3, 4, 1, 0]), [taps.shape[0], into * out]);
    return permute(reshape(linear(taps, permute(byTap, [1, 0])), [...size, into, out]), [4, 3, 0, 1, 2]);
  });
}
