import { sum } from '../../base/statistics.ts';
import { axiswise, product } from './arithmetic.ts';
import type { Configuration, PlannedArchitecture } from './plans.ts';
import { type Preset, referenceOf } from './presets.ts';

/**
 * The values of all feature maps that convolutions make of one patch, by which nnU-Net reckons what memory a network takes (`compute_conv_feature_map_size` of its
 * U-Nets). What comes of a norm, an activation or a pooling is not counted, nor are the logits of deep supervision.
 * @param patch voxels of each axis
 * @param classes of which the network gives logits
 */
export function featureMapValues(architecture: PlannedArchitecture, patch: readonly number[], classes: number): number {
  const { features_per_stage: features, strides, n_conv_per_stage_decoder } = architecture.arch_kwargs;
  let size = patch;
  const voxels = strides.map((stride) => {
    size = axiswise(size, stride, (extent, step) => Math.floor(extent / step));
    return product(size);
  });
  const ofStage = features.map((count, stage) => count * voxels[stage]);
  const encoder = encoderMaps(architecture);
  // Beside its convolutions, the transposed one that brings the features of the stage below.
  const decoder = [...n_conv_per_stage_decoder.toReversed().map((convolutions) => convolutions + 1), 0];
  const stages = sum(ofStage.map((values, stage) => values * (encoder[stage] + decoder[stage])));
  return stages + classes * voxels[0];
}

/** How many feature maps of its own size and features each stage of the encoder has. */
function encoderMaps(architecture: PlannedArchitecture): readonly number[] {
  if ('n_conv_per_stage' in architecture.arch_kwargs) return architecture.arch_kwargs.n_conv_per_stage;
  // Two convolutions a block; and one more: at the finest stage the stem, at the others the projection beside the first block.
  return architecture.arch_kwargs.n_blocks_per_stage.map((blocks) => 2 * blocks + 1);
}

/** Bytes of a GPU that training is thought to take, by nnU-Net's own reckoning: a share of the memory that the preset is for. */
export function estimatedBytes(
  { architecture, patch_size, batch_size }: Configuration,
  preset: Preset,
  classes: number,
): number {
  const reference = referenceOf(preset, patch_size.length);
  const batches = batch_size / reference.batch;
  const share = featureMapValues(architecture, patch_size, classes) / reference.featureMapValues;
  return batches * share * preset.memoryGigabytes * 2 ** 30;
}
