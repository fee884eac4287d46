import { createRandom, normal } from '../base/random.ts';
import { meanAndDeviation } from '../base/statistics.ts';

/** What is done to the intensities of one channel of a patch, in this order; 0 noise and factors of 1 do nothing. */
export interface IntensityChange {
  /** Gaussian noise of this standard deviation, drawn from a generator of this seed. */
  readonly noise: { readonly deviation: number; readonly seed: number };
  /** Multiplies all values. */
  readonly brightness: number;
  /** Multiplies distances from the mean; what leaves the range of before is brought back to its end. */
  readonly contrast: number;
  /** Exponent of the values scaled to 0 to 1; mean and deviation are kept. */
  readonly gamma: number;
}

/** Changes one channel of a patch in place, as nnU-Net does (Isensee et al. 2021, supplement 4). */
export function changeIntensities(values: Float32Array, { noise, brightness, contrast, gamma }: IntensityChange): void {
  if (noise.deviation > 0) addNoise(values, noise);
  if (brightness !== 1) for (let i = 0; i < values.length; i++) values[i] *= brightness;
  if (contrast !== 1) changeContrast(values, contrast);
  if (gamma !== 1) changeGamma(values, gamma);
}

function addNoise(values: Float32Array, { deviation, seed }: IntensityChange['noise']): void {
  const random = createRandom(seed);
  for (let i = 0; i < values.length; i++) values[i] += deviation * normal(random);
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
