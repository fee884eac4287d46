import { linear, permute, reshape, scope, type Tensor } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';

/** Dilations through whose own matrix a level takes its shared kernels; undilated, it takes them as they are. */
export const mixedDilations = [2, 3] as const;

/** The matrix through which a convolution takes its kernel at a dilation, `[taps, taps]`: its name among the shared weights. */
export function tapsName(prefix: string, convolution: string, dilation: number): string {
  return `${prefix}.taps${convolution}.dilation${dilation}`;
}

/** By the kernels' names, the matrices through which a child takes them: of a macro child, those of its dilated levels. */
export function tapsNames(child: Architecture): ReadonlyMap<string, string> {
  if (child.space === 'micro') return new Map();
  const parts = (['encoder', 'decoder'] as const).flatMap((part) =>
    child[part].flatMap(({ dilation }, level) => (dilation === 1 ? [] : [{ prefix: `${part}.${level}`, dilation }])),
  );
  return new Map(
    parts.flatMap(({ prefix, dilation }) =>
      ['1', '2'].map((name) => [`${prefix}.conv${name}`, tapsName(prefix, name, dilation)] as const),
    ),
  );
}

/**
 * A kernel that several dilations share, as one of them takes it: each of its taps is a weighed sum of all, by the same weights for all
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
