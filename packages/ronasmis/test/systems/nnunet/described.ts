import type { NnunetFingerprint } from '../../../src/systems/nnunet/plan-inputs.ts';

/** A fingerprint as nnU-Net writes it, of three CT volumes with thick slices. */
export const fingerprint: NnunetFingerprint = {
  shapes_after_crop: [
    [90, 400, 380],
    [100, 512, 512],
    [140, 500, 480],
  ],
  spacings: [
    [2.5, 0.8, 0.8],
    [2.5, 0.7, 0.7],
    [2, 0.75, 0.75],
  ],
  foreground_intensity_properties_per_channel: {
    0: { mean: 80, median: 82, std: 40, min: -900, max: 2000, percentile_99_5: 210, percentile_00_5: -90 },
  },
  median_relative_size_after_cropping: 1,
};

/** The `dataset.json` that belongs to it. */
export const dataset = {
  channel_names: { 0: 'CT' },
  labels: { background: 0, liver: 1, tumour: 2 },
  numTraining: 3,
  file_ending: '.nii.gz',
};
