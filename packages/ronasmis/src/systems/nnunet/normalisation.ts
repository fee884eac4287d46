/** What nnU-Net calls its normalisations, by the channel's name in small letters (`get_normalization_scheme`); others are z-scored. */
const schemes: ReadonlyMap<string, string> = new Map([
  ['ct', 'CTNormalization'],
  ['nonorm', 'NoNormalization'],
  ['zscore', 'ZScoreNormalization'],
  ['rescale_to_0_1', 'RescaleTo01Normalization'],
  ['rgb_to_0_1', 'RGBTo01Normalization'],
]);
const zScore = 'ZScoreNormalization';

/** Images of which less is left by the crop to what is not zero are normalised within it alone. */
const wholeImage = 3 / 4;

/**
 * How each channel is normalised, and whether within the mask of what is not zero, which only z-scoring can do.
 * @param medianRelativeSize voxels that the crop leaves, as a share of the image
 */
export function normalisationOf(channels: readonly string[], medianRelativeSize: number) {
  const normalization_schemes = channels.map((name) => schemes.get(name.toLowerCase()) ?? zScore);
  const isMasked = medianRelativeSize < wholeImage;
  return { normalization_schemes, use_mask_for_norm: normalization_schemes.map((one) => isMasked && one === zScore) };
}
