import { UserError } from '../../base/errors.ts';
import { architectureOf } from './architecture.ts';
import { product, roundHalfToEven } from './arithmetic.ts';
import { featureMapValues } from './memory.ts';
import { normalisationOf } from './normalisation.ts';
import { fittingTopology } from './patch.ts';
import type { Configuration } from './plans.ts';
import { type Preset, referenceOf } from './presets.ts';

/** At what a configuration looks: two axes of slices, three of volumes. */
export interface Resolution {
  readonly name: '2d' | '3d_lowres' | '3d_fullres';
  /** In millimetres. */
  readonly spacing: readonly number[];
  /** Voxels of the median image at that spacing. */
  readonly medianShape: readonly number[];
  /** About so many voxels all training images have at that spacing. */
  readonly dataSetVoxels: number;
}

/** What of a data set is the same at every resolution. */
export interface Contents {
  readonly channels: readonly string[];
  /** Of which the network gives logits. */
  readonly classes: number;
  /** Voxels that the crop leaves, as a share of the image: the median over the cases. */
  readonly medianRelativeSize: number;
}

/** Plans of all presets are called so: the name is part of what nnU-Net calls the folders of its prepared data. */
export const plansName = 'nnUNetPlans';

const smallestBatch = 2;

const resampling = 'resample_data_or_seg_to_shape';
const spline = (order: number, is_seg: boolean) => ({ is_seg, order, order_z: 0, force_separate_z: null });

/**
 * How nnU-Net trains at a resolution (`get_plans_for_configuration`): the largest patch of which the batch that has to fit does; then the
 * largest batch, unless that is more than the allowed share of the data set.
 * @throws UserError where no patch fits
 */
export function configurationAt(
  { name, spacing, medianShape, dataSetVoxels }: Resolution,
  preset: Preset,
  { channels, classes, medianRelativeSize }: Contents,
): Omit<Configuration, 'batch_dice'> {
  const reference = referenceOf(preset, spacing.length);
  const valuesOf = (topology: Parameters<typeof architectureOf>[0]): number =>
    featureMapValues(architectureOf(topology, preset.network), topology.patch, classes);
  const topology = fittingTopology(
    spacing,
    medianShape,
    (one) => valuesOf(one) * reference.fittedBatch <= reference.featureMapValues * reference.batch,
  );
  const { patch } = topology;
  if (patch.some((size) => !(size >= 1))) {
    const images = `images of ${medianShape.join(' x ')} voxels of ${spacing.join(' x ')} mm`;
    throw new UserError(
      `No patch at all fits, of ${classes} labels and ${images}: correct the labels, shapes or spacings.`,
    );
  }
  const fitting = roundHalfToEven((reference.featureMapValues / valuesOf(topology)) * reference.batch);
  const allowed = roundHalfToEven((dataSetVoxels * preset.largestShare) / product(patch));
  return {
    data_identifier: `${plansName}_${name}`,
    preprocessor_name: 'DefaultPreprocessor',
    batch_size: Math.max(smallestBatch, Math.min(fitting, allowed)),
    patch_size: patch,
    median_image_size_in_voxels: medianShape,
    spacing,
    ...normalisationOf(channels, medianRelativeSize),
    resampling_fn_data: resampling,
    resampling_fn_seg: resampling,
    resampling_fn_data_kwargs: spline(3, false),
    resampling_fn_seg_kwargs: spline(1, true),
    resampling_fn_probabilities: resampling,
    resampling_fn_probabilities_kwargs: spline(1, false),
    architecture: architectureOf(topology, preset.network),
  };
}
