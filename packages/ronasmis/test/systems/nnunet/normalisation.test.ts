import { expect, test } from 'vitest';
import { normalisationOf } from '../../../src/systems/nnunet/normalisation.ts';

test('channels are normalised by their names, and z-scored within the mask where the crop leaves less than three quarters', () => {
  // nnunetv2 2.8.1: determine_normalization_scheme_and_whether_mask_is_used_for_norm
  const channels = ['CT', 'T1', 'noNorm', 'rescale_to_0_1'];
  const normalization_schemes = [
    'CTNormalization',
    'ZScoreNormalization',
    'NoNormalization',
    'RescaleTo01Normalization',
  ];
  expect(normalisationOf(channels, 0.5)).toEqual({
    normalization_schemes,
    use_mask_for_norm: [false, true, false, false],
  });
  expect(normalisationOf(channels, 0.75).use_mask_for_norm).toEqual([false, false, false, false]);
});
