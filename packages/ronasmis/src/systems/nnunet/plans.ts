import { z } from 'zod';

/** One value an axis, `[depth, height, width]` after the transposition; two of slices. */
const axesSchema = z.array(z.number()).min(2).max(3).readonly();
/** One value a stage, the finest first. */
const stagesSchema = z.array(z.int().positive()).min(1).readonly();

const kwargsShape = {
  n_stages: z.int().positive(),
  features_per_stage: stagesSchema,
  conv_op: z.string(),
  /** From the stage before; 1 of the first. */
  strides: z.array(axesSchema).min(1).readonly(),
  kernel_sizes: z.array(axesSchema).min(1).readonly(),
  /** The coarsest first; one less than there are stages. */
  n_conv_per_stage_decoder: z.array(z.int().positive()).readonly(),
  conv_bias: z.boolean(),
  norm_op: z.string(),
  norm_op_kwargs: z.object({ eps: z.number(), affine: z.boolean() }).readonly(),
  dropout_op: z.string().nullable(),
  dropout_op_kwargs: z.record(z.string(), z.unknown()).readonly().nullable(),
  nonlin: z.string(),
  nonlin_kwargs: z.record(z.string(), z.unknown()).readonly(),
};
const importedSchema = { _kw_requires_import: z.array(z.string()).readonly() };

/** The network of a configuration, as nnU-Net describes it: a plain U-Net, or one whose encoder is of residual blocks. */
const architectureSchema = z.discriminatedUnion('network_class_name', [
  z
    .object({
      network_class_name: z.literal('dynamic_network_architectures.architectures.unet.PlainConvUNet'),
      arch_kwargs: z.object({ ...kwargsShape, n_conv_per_stage: stagesSchema }).readonly(),
      ...importedSchema,
    })
    .readonly(),
  z
    .object({
      network_class_name: z.literal('dynamic_network_architectures.architectures.unet.ResidualEncoderUNet'),
      arch_kwargs: z.object({ ...kwargsShape, n_blocks_per_stage: stagesSchema }).readonly(),
      ...importedSchema,
    })
    .readonly(),
]);

/** By what splines images, label maps and probabilities are resampled; `order_z` across thick slices. */
const resamplingSchema = z
  .object({
    is_seg: z.boolean(),
    order: z.int(),
    order_z: z.int(),
    force_separate_z: z.boolean().nullable(),
  })
  .readonly();

const configurationSchema = z.object({
  data_identifier: z.string(),
  preprocessor_name: z.string(),
  batch_size: z.int().positive(),
  /** In voxels. */
  patch_size: z.array(z.int().positive()).min(2).max(3).readonly(),
  median_image_size_in_voxels: axesSchema,
  /** In millimetres. */
  spacing: axesSchema,
  /** Of each channel, as are the masks. */
  normalization_schemes: z.array(z.string()).readonly(),
  use_mask_for_norm: z.array(z.boolean()).readonly(),
  resampling_fn_data: z.string(),
  resampling_fn_seg: z.string(),
  resampling_fn_data_kwargs: resamplingSchema,
  resampling_fn_seg_kwargs: resamplingSchema,
  resampling_fn_probabilities: z.string(),
  resampling_fn_probabilities_kwargs: resamplingSchema,
  architecture: architectureSchema,
  /** Whether the Dice loss takes a batch for one volume. */
  batch_dice: z.boolean(),
});

/** Statistics of a channel's intensities over labelled voxels. */
export const intensitiesSchema = z
  .object({
    mean: z.number(),
    median: z.number(),
    std: z.number(),
    min: z.number(),
    max: z.number(),
    percentile_99_5: z.number(),
    percentile_00_5: z.number(),
  })
  .readonly();

const axisOrderSchema = z.array(z.int().min(0).max(2)).length(3).readonly();

/** nnU-Net's `plans.json`, version 2. */
export const plansSchema = z
  .object({
    dataset_name: z.string(),
    plans_name: z.string(),
    original_median_spacing_after_transp: axesSchema,
    original_median_shape_after_transp: axesSchema,
    image_reader_writer: z.string(),
    /** Which axis of the files, as `[depth, height, width]`, each axis of the plans is. */
    transpose_forward: axisOrderSchema,
    transpose_backward: axisOrderSchema,
    configurations: z
      .object({
        '2d': configurationSchema.readonly(),
        '3d_lowres': configurationSchema.extend({ next_stage: z.string() }).readonly().optional(),
        '3d_fullres': configurationSchema.readonly().optional(),
        '3d_cascade_fullres': z.object({ inherits_from: z.string(), previous_stage: z.string() }).readonly().optional(),
      })
      .readonly(),
    experiment_planner_used: z.string(),
    label_manager: z.string(),
    /** By the channel's number. */
    foreground_intensity_properties_per_channel: z.record(z.string(), intensitiesSchema).readonly(),
  })
  .readonly();

/** What nnU-Net plans for a data set. */
export type Plans = z.infer<typeof plansSchema>;
/** How a network is trained at one resolution. */
export type Configuration = Readonly<z.infer<typeof configurationSchema>>;
/** The network of a configuration. */
export type PlannedArchitecture = z.infer<typeof architectureSchema>;
/** Statistics of a channel's intensities over labelled voxels, by nnU-Net's names. */
export type PlannedIntensities = z.infer<typeof intensitiesSchema>;
