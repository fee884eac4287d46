import { noGradient, resampleSoftmax, scope, type Tensor, to } from '@ronasmis/libtorch';
import type { Triple } from '../base/geometry.ts';
import { forward } from '../network/forward.ts';
import type { Network } from '../network/network.ts';
import type { Weights } from '../network/weights.ts';
import { defaultRecipe } from '../recipe/recipe.ts';
import { classesOf, onProcessor, resampling, type SegmentationPlan, sizeOf } from './classes.ts';
import { meanOfMirrorings } from './mirroring.ts';
import { addLook, partOf, regionsFound } from './region.ts';
import { logitsInTiles } from './sliding-window.ts';
import { within } from './tiles.ts';

/**
 * A network's segmentation of a volume, in one pass (one-shot inference), in one and another over what that found, or in tiles: class indices, uint8
 * `[batch, depth, height, width]` on the image's device. Weights and image are of one precision.
 */
export function segment(network: Network, weights: Weights, image: Tensor, plan: SegmentationPlan = {}): Tensor {
  return noGradient(() => scope(() => classesOf(logitsOf(network, weights, image, plan), image, plan)));
}

/** As {@link segment}, and the probability of each class, float32 `[batch, class, depth, height, width]` on the CPU. */
export function segmentWithProbabilities(
  network: Network,
  weights: Weights,
  image: Tensor,
  plan: SegmentationPlan,
): { readonly classes: Tensor; readonly probabilities: Tensor } {
  return noGradient(() =>
    scope(() => {
      const logits = logitsOf(network, weights, image, plan);
      const probabilities = resampleSoftmax(onProcessor(logits), sizeOf(image, plan), resampling(plan));
      return { classes: classesOf(logits, image, plan), probabilities };
    }),
  );
}

function logitsOf(
  network: Network,
  weights: Weights,
  image: Tensor,
  { tile, region, inference = defaultRecipe.inference }: SegmentationPlan,
): Tensor {
  const once = (volume: Tensor): Tensor => forward(network, weights, volume)[0];
  const pass = inference.mirroring ? (volume: Tensor): Tensor => meanOfMirrorings(volume, once) : once;
  const look = (volume: Tensor, through: Triple | undefined): Tensor =>
    through
      ? logitsInTiles(volume, { tile: through, classes: network.classes, tiling: inference }, pass)
      : pass(volume);
  const first = look(image, tile);
  const regions = region ? regionsFound(first, region) : [];
  if (regions.length === 0) return first;
  const logits = to(first, { dataType: 'float32', copy: true });
  for (const found of regions) {
    scope(() => addLook(logits, found, look(partOf(image, found), tile && within(found.shape, tile))));
  }
  return logits;
}
