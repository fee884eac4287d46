import { median } from '../../base/statistics.ts';
import { commonSpacing } from '../../data/spacing.ts';
import { axiswise, product, roundHalfToEven } from './arithmetic.ts';
import { configurationAt, plansName, type Resolution } from './configuration.ts';
import type { PlanInputs } from './plan-inputs.ts';
import type { Configuration, Plans } from './plans.ts';
import { type PresetName, presets } from './presets.ts';
import { coarserSpacing, resampledShape, transposed, transposition } from './resolution.ts';

/** What is planned for, and by which of nnU-Net's planners. */
export interface PlanOptions extends PlanInputs {
  /** `default` is nnU-Net's own; `m` and `l` its residual encoders for GPUs of about 8 and 24 GB. */
  readonly preset: PresetName;
}

/** A patch of full resolution that covers less of the median image than this asks for a low resolution. */
const leastCovered = 0.25;
/** Of fewer voxels by less than this factor, a low resolution is not worth its training. */
const leastGain = 2;

/**
 * What nnU-Net v2 plans for a data set (Isensee et al. 2021; `ExperimentPlanner.plan_experiment` and its residual-encoder kin): the contents of its `plans.json`, figure
 * by figure. 2D images, whose shapes begin with 1, have slices alone.
 * @throws UserError where no patch fits
 */
export function planNnunet({ fingerprint, dataset, preset }: PlanOptions): Plans {
  const { spacings, shapes_after_crop: shapes } = fingerprint;
  const target = commonSpacing(spacings.map((spacing, index) => ({ spacing, shape: shapes[index] })));
  const { forward, backward } = transposition(target);
  const spacing = transposed(target, forward);
  const resampled = shapes.map((shape, index) => resampledShape(shape, spacings[index], target));
  const medianShape = transposed(medians(resampled), forward);
  const contents = { ...dataset, medianRelativeSize: fingerprint.median_relative_size_after_cropping };
  const configure: Configure = (resolution) => configurationAt(resolution, presets[preset], contents);
  return {
    dataset_name: dataset.name,
    plans_name: plansName,
    original_median_spacing_after_transp: transposed(medians(spacings), forward),
    original_median_shape_after_transp: transposed(medians(shapes), forward).map(roundHalfToEven),
    image_reader_writer: dataset.reader,
    transpose_forward: forward,
    transpose_backward: backward,
    configurations: configurationsFor({ spacing, medianShape }, dataset.cases, configure),
    experiment_planner_used: presets[preset].planner,
    label_manager: 'LabelManager',
    foreground_intensity_properties_per_channel: fingerprint.foreground_intensity_properties_per_channel,
  };
}

/** Each axis by itself. */
const medians = (values: readonly (readonly number[])[]): readonly number[] =>
  values[0].map((_, axis) => median(values.map((one) => one[axis])));

type Configure = (resolution: Resolution) => Omit<Configuration, 'batch_dice'>;

/** Slices; volumes, where there are any; and where a patch shows too little of them, both resolutions of a cascade. */
function configurationsFor(
  { spacing, medianShape }: Pick<Resolution, 'spacing' | 'medianShape'>,
  cases: number,
  configure: Configure,
): Plans['configurations'] {
  const dataSetVoxels = product(medianShape) * cases;
  const ofSlices = { spacing: spacing.slice(1), medianShape: medianShape.slice(1), dataSetVoxels };
  const slices = { ...configure({ name: '2d', ...ofSlices }), batch_dice: true };
  if (medianShape[0] === 1) return { '2d': slices };
  const full = configure({ name: '3d_fullres', spacing, medianShape, dataSetVoxels });
  const low = lowResolution(full, cases, configure);
  if (low === undefined) return { '2d': slices, '3d_fullres': { ...full, batch_dice: false } };
  return {
    '2d': slices,
    '3d_lowres': { ...low, batch_dice: false, next_stage: '3d_cascade_fullres' },
    '3d_fullres': { ...full, batch_dice: true },
    '3d_cascade_fullres': { inherits_from: '3d_fullres', previous_stage: '3d_lowres' },
  };
}

/** The finest resolution at which a patch covers enough of the median image; undefined where that is full resolution, or nearly. */
function lowResolution(full: ReturnType<Configure>, cases: number, configure: Configure) {
  const fullVoxels = product(full.median_image_size_in_voxels);
  let low: ReturnType<Configure> | undefined;
  let voxels = fullVoxels;
  let { spacing, patch_size: patch } = full;
  while (product(patch) / voxels < leastCovered) {
    spacing = coarserSpacing(spacing);
    const scale = axiswise(full.spacing, spacing, (from, to) => from / to);
    const shape = axiswise(scale, full.median_image_size_in_voxels, (one, size) => one * size);
    voxels = product(shape);
    const medianShape = shape.map(roundHalfToEven);
    low = configure({ name: '3d_lowres', spacing, medianShape, dataSetVoxels: voxels * cases });
    patch = low.patch_size;
  }
  return fullVoxels / voxels < leastGain ? undefined : low;
}
