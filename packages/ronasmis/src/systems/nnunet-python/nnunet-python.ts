import type { System } from '../system.ts';
import { systemName } from './run-json.ts';
import { segment } from './segment.ts';
import { train } from './train.ts';

/**
 * nnU-Net v2 itself (Isensee et al. 2021), run by a Python that has it: its own planner, preprocessing, trainer and prediction, its configuration
 * `3d_fullres` and its last checkpoint. Nothing of it is rebuilt here.
 */
export const nnunetPython: System = {
  name: systemName,
  title: 'nnU-Net v2 (Python)',
  traits: {
    augmentation: 'rotation, scaling, noise, blur, brightness, contrast, low resolution, gamma, mirroring',
    ensemble: false,
    testTimeAugmentation: true,
    postProcessing: false,
    inference: 'weighted overlapped patches',
  },
  train,
  segment,
};
