import { addInPlace, flip, multiplyInPlace, scope, type Tensor, to } from '@ronasmis/libtorch';

/** Axes of `[batch, channel, depth, height, width]` that are mirrored at once, in nnU-Net's order, beside the image as it is. */
const mirrorings = [[2], [3], [4], [2, 3], [2, 4], [3, 4], [2, 3, 4]] as const;

/** Passes that {@link meanOfMirrorings} takes. */
export const mirroredPasses = mirrorings.length + 1;

/**
 * The mean of the logits of an image and of all its mirrorings, each mirrored back, as nnU-Net augments at test time
 * (`_internal_maybe_mirror_and_predict`).
 * @param logitsOf of an image `[batch, channel, depth, height, width]`, logits `[batch, class, depth, height, width]`
 * @returns float32
 */
export function meanOfMirrorings(image: Tensor, logitsOf: (image: Tensor) => Tensor): Tensor {
  return scope(() => {
    const sum = scope(() => to(logitsOf(image), { dataType: 'float32', copy: true }));
    for (const axes of mirrorings) scope(() => addInPlace(sum, flip(logitsOf(mirrored(image, axes)), axes)));
    multiplyInPlace(sum, 1 / mirroredPasses);
    return sum;
  });
}

/** As {@link meanOfMirrorings}, of logits that come from elsewhere and are waited for. */
export async function awaitedMeanOfMirrorings(
  image: Tensor,
  logitsOf: (image: Tensor) => Promise<Tensor>,
): Promise<Tensor> {
  const sum = to(await logitsOf(image), { dataType: 'float32', copy: true });
  for (const axes of mirrorings) {
    const logits = await logitsOf(mirrored(image, axes));
    scope(() => addInPlace(sum, flip(logits, axes)));
  }
  multiplyInPlace(sum, 1 / mirroredPasses);
  return sum;
}

const mirrored = (image: Tensor, axes: readonly number[]): Tensor =>
  scope(() => to(flip(image, axes), { dataType: image.dataType, memoryFormat: 'channels_last_3d' }));
