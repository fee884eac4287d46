import type { Triple } from '../base/geometry.ts';
import type { Random } from '../base/random.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { aroundOne, between, happens } from './chance.ts';
import type { IntensityChange } from './intensities.ts';

/**
 * Draws how the intensities of a patch are changed, channel by channel, in nnU-Net's order. Each change has a share of the patches, and one
 * of the channels of these.
 * @param inPlane whether slices are not mixed: their resolution stays
 */
export function drawIntensities(
  random: Random,
  channels: number,
  inPlane: boolean,
  recipe: Recipe['augmentation'],
): readonly (readonly IntensityChange[])[] {
  const shares = drawShares(random, recipe);
  const { noise_in, noise_of, noise, blur, brightness, contrast, low_resolution, gamma } = recipe;
  const drawDeviation = (): number => {
    const drawn = between(random, noise);
    return noise_in === 'variance' ? Math.sqrt(drawn) : drawn;
  };
  const ofPatch = noise_of === 'patch' && shares.noise > 0 ? drawDeviation() : undefined;
  const sometimes = (share: number, draw: () => IntensityChange): readonly IntensityChange[] =>
    happens(random, share) ? [draw()] : [];
  const drawBlur = (): Triple => [between(random, blur), between(random, blur), between(random, blur)];
  const drawResolution = (): Triple => {
    const scale = between(random, low_resolution);
    return [inPlane ? 1 : scale, scale, scale];
  };
  return Array.from({ length: channels }, (): readonly IntensityChange[] => {
    const deviation = happens(random, shares.noise) ? (ofPatch ?? drawDeviation()) : 0;
    const seed = random.integer(2 ** 31);
    return [
      ...(deviation > 0 ? [{ kind: 'noise', deviation, seed } as const] : []),
      ...sometimes(shares.blur, () => ({ kind: 'blur', deviations: drawBlur() })),
      ...sometimes(shares.brightness, () => ({ kind: 'brightness', factor: between(random, brightness) })),
      ...sometimes(shares.contrast, () => ({ kind: 'contrast', factor: aroundOne(random, contrast) })),
      ...sometimes(shares.lowResolution, () => ({ kind: 'low_resolution', scale: drawResolution() })),
      ...sometimes(shares.invertedGamma, () => ({ kind: 'inverted_gamma', exponent: aroundOne(random, gamma) })),
      ...sometimes(shares.gamma, () => ({ kind: 'gamma', exponent: aroundOne(random, gamma) })),
    ];
  });
}

/** The share of a patch's channels that each change is for: 0 where it is not for this patch. */
function drawShares(random: Random, recipe: Recipe['augmentation']) {
  const ofChannels = ([ofPatches, ofTheirs]: readonly [number, number]): number =>
    happens(random, ofPatches) ? ofTheirs : 0;
  return {
    noise: ofChannels(recipe.noise_share),
    blur: ofChannels(recipe.blur_share),
    brightness: ofChannels(recipe.brightness_share),
    contrast: ofChannels(recipe.contrast_share),
    lowResolution: ofChannels(recipe.low_resolution_share),
    invertedGamma: ofChannels(recipe.inverted_gamma_share),
    gamma: ofChannels(recipe.gamma_share),
  };
}
