import { describe, expect, test } from 'vitest';
import { changeIntensities, type IntensityChange } from '../../src/batches/intensities.ts';
import { chirpValues } from '../chirp.ts';
import { expectDigest, reference } from './reference.ts';

const unchanged: IntensityChange = { noise: { deviation: 0, seed: 1 }, brightness: 1, contrast: 1, gamma: 1 };

describe('intensities are changed as batchgenerators does', () => {
  const patch = () => Float32Array.from(chirpValues(200, 2));
  test.each([0.7, 1.4])('contrast %f', (contrast) => {
    const values = patch();
    changeIntensities(values, { ...unchanged, contrast });
    expectDigest(values, reference.contrast[String(contrast)], 5);
  });

  test('gamma', () => {
    const values = patch();
    changeIntensities(values, { ...unchanged, gamma: 1.4 });
    expectDigest(values, reference.gamma, 5);
  });

  test('brightness', () => {
    const values = patch();
    changeIntensities(values, { ...unchanged, brightness: 0.8 });
    expect([...values]).toEqual([...patch().map((value) => value * 0.8)]);
  });

  test('noise of the deviation, the same for the same seed', () => {
    const noise = (seed: number) => {
      const values = new Float32Array(20_000);
      changeIntensities(values, { ...unchanged, noise: { deviation: 0.3, seed } });
      return values;
    };
    const values = noise(7);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.sqrt(variance)).toBeCloseTo(0.3, 2);
    expect(noise(7)).toEqual(values);
    expect(noise(8)).not.toEqual(values);
  });

  test('padding alone stays what it is', () => {
    const values = new Float32Array(10);
    changeIntensities(values, { ...unchanged, brightness: 1.2, contrast: 1.3, gamma: 0.7 });
    expect([...values]).toEqual(Array.from({ length: 10 }, () => 0));
  });
});
