import type { Triple } from '../base/geometry.ts';
import { createRandom, normal } from '../base/random.ts';
import { meanAndDeviation } from '../base/statistics.ts';
import { blur, lowerResolution } from './filters.ts';
import type { Block } from './resample.ts';

/** One change of the intensities of a channel of a patch: plain data, all chance drawn. */
export type IntensityChange =
  /** Gaussian noise of this standard deviation, drawn from a generator of this seed. */
  | { readonly kind: 'noise'; readonly deviation: number; readonly seed: number }
  /** A Gaussian of standard deviations in voxels, `[depth, height, width]`. */
  | { readonly kind: 'blur'; readonly deviations: Triple }
  /** Multiplies all values. */
  | { readonly kind: 'brightness'; readonly factor: number }
  /** Multiplies distances from the mean; what leaves the range of before is brought back to its end. */
  | { readonly kind: 'contrast'; readonly factor: number }
  /** Times the resolution that detail is left of, `[depth, height, width]`. */
  | { readonly kind: 'low_resolution'; readonly scale: Triple }
  /** Exponent of the values scaled to 0 to 1; mean and deviation are kept. */
  | { readonly kind: 'gamma'; readonly exponent: number }
  /** The same of the negative. */
  | { readonly kind: 'inverted_gamma'; readonly exponent: number };

/** Changes one channel of a patch in place, one change after the other, each as in nnU-Net (Isensee et al. 2021, supplement 4). */
export function changeIntensities(patch: Block<Float32Array>, changes: readonly IntensityChange[]): void {
  for (const change of changes) changeOnce(patch, change);
}

function changeOnce(patch: Block<Float32Array>, change: IntensityChange): void {
  const { values } = patch;
  switch (change.kind) {
    case 'noise':
      addNoise(values, change.deviation, change.seed);
      break;
    case 'blur':
      blur(patch, change.deviations);
      break;
    case 'brightness':
      multiply(values, change.factor);
      break;
    case 'contrast':
      changeContrast(values, change.factor);
      break;
    case 'low_resolution':
      lowerResolution(patch, change.scale);
      break;
    case 'gamma':
      changeGamma(values, change.exponent);
      break;
    case 'inverted_gamma':
      multiply(values, -1);
      changeGamma(values, change.exponent);
      multiply(values, -1);
      break;
  }
}

function addNoise(values: Float32Array, deviation: number, seed: number): void {
  const random = createRandom(seed);
  for (let i = 0; i < values.length; i++) values[i] += deviation * normal(random);
}

function multiply(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] *= factor;
}

function changeContrast(values: Float32Array, contrast: number): void {
  const { mean } = meanAndDeviation(values);
  const [low, high] = rangeOf(values);
  for (let i = 0; i < values.length; i++) {
    values[i] = Math.min(high, Math.max(low, mean + contrast * (values[i] - mean)));
  }
}

function changeGamma(values: Float32Array, gamma: number): void {
  const [low, high] = rangeOf(values);
  // A patch of padding alone has nothing to change.
  if (high === low) return;
  const before = meanAndDeviation(values);
  for (let i = 0; i < values.length; i++) values[i] = ((values[i] - low) / (high - low)) ** gamma;
  const after = meanAndDeviation(values);
  const scale = before.deviation / after.deviation;
  for (let i = 0; i < values.length; i++) values[i] = before.mean + scale * (values[i] - after.mean);
}

function rangeOf(values: Float32Array): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  return [low, high];
}
