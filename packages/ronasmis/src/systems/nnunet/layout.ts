import type { UNet } from '../../architecture/architecture.ts';
import { UserError } from '../../base/errors.ts';
import { type Triple, voxelsOf } from '../../base/geometry.ts';
import { median } from '../../base/statistics.ts';
import type { PlannedFor } from '../../search/options.ts';
import { datasetOf } from './fingerprint.ts';
import { planNnunet } from './plan.ts';
import type { Configuration, Plans } from './plans.ts';
import type { PresetName } from './presets.ts';

/** What nnU-Net's plan says of a network at full resolution. */
export interface PlannedNetwork {
  /** Its axes are those of the prepared volumes, `[depth, height, width]`, not of the plan where that transposes them. */
  readonly architecture: UNet;
  /** Whether the Dice loss takes a batch for one volume. */
  readonly batchDice: boolean;
  /** Whether any channel is normalised within the mask of what is not zero. */
  readonly isMasked: boolean;
}

/**
 * The network that nnU-Net plans for a data set at full resolution, from its cases as they are prepared: how intensities are distributed, it
 * does not ask.
 * @throws UserError where there is none
 */
export function planNetwork({ dataSet, cases }: PlannedFor, preset: PresetName): PlannedNetwork {
  const fingerprint = {
    shapes_after_crop: cases.map(({ crop }) => crop.shape),
    spacings: cases.map(({ scanSpacing }) => scanSpacing),
    foreground_intensity_properties_per_channel: {},
    median_relative_size_after_cropping: median(
      cases.map(({ crop }) => voxelsOf(crop.shape) / voxelsOf(crop.scanShape)),
    ),
  };
  const plans = planNnunet({ fingerprint, dataset: datasetOf(dataSet), preset });
  const { '3d_fullres': full } = plans.configurations;
  if (full === undefined) {
    throw new UserError(
      `${dataSet.folder}: its scans are of one slice, for which nnU-Net plans no network of three dimensions.`,
    );
  }
  return {
    architecture: networkOfPlan(full, plans),
    batchDice: full.batch_dice,
    isMasked: full.use_mask_for_norm.includes(true),
  };
}

/** The network of a configuration of three dimensions. */
export function networkOfPlan(
  { patch_size, batch_size, architecture }: Configuration,
  { transpose_backward: order }: Pick<Plans, 'transpose_backward'>,
): UNet {
  const { arch_kwargs: kwargs } = architecture;
  const [depth, height, width] = backward(patch_size, order);
  const isResidual = 'n_blocks_per_stage' in kwargs;
  return {
    kind: 'unet',
    patch: { depth, height, width },
    batch: batch_size,
    features: kwargs.features_per_stage,
    kernels: kwargs.kernel_sizes.map((size) => edgesOf(backward(size, order))),
    strides: kwargs.strides.map((stride) => backward(stride, order)),
    encoder: {
      block: isResidual ? 'residual' : 'convolutions',
      counts: isResidual ? kwargs.n_blocks_per_stage : kwargs.n_conv_per_stage,
    },
    decoder: { block: 'convolutions', counts: kwargs.n_conv_per_stage_decoder.toReversed() },
  };
}

/** From the axes of a plan to those of the files. */
const backward = (values: readonly number[], [first, second, third]: readonly number[]): Triple => [
  values[first],
  values[second],
  values[third],
];

/** Kernels are of 1 or 3 voxels along an axis. */
function edgesOf([depth, height, width]: Triple): UNet['kernels'][number] {
  const edge = (size: number): 1 | 3 => (size === 1 ? 1 : 3);
  return [edge(depth), edge(height), edge(width)];
}
