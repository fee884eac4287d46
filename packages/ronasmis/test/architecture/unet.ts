import type { UNet } from '../../src/architecture/architecture.ts';

/** A small U-Net of three stages whose first kernels do not reach across slices. */
export const unet: UNet = {
  kind: 'unet',
  patch: { depth: 8, height: 16, width: 16 },
  batch: 2,
  features: [4, 8, 16],
  kernels: [
    [1, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
  ],
  strides: [
    [1, 1, 1],
    [1, 2, 2],
    [2, 2, 2],
  ],
  encoder: { block: 'convolutions', counts: [2, 2, 2] },
  decoder: { block: 'convolutions', counts: [2, 2] },
};
