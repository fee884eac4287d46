import { z } from 'zod';
import { patchSchema } from './patch.ts';

const extentSchema = z.int().positive();
const edgeSchema = z.union([z.literal(1), z.literal(3)]);
const kernelSchema = z.tuple([edgeSchema, edgeSchema, edgeSchema]).readonly();
const strideSchema = z.tuple([extentSchema, extentSchema, extentSchema]).readonly();
const stagesSchema = z.strictObject({
  block: z.enum(['convolutions', 'residual']),
  counts: z.array(extentSchema).readonly(),
});

/**
 * A fixed U-Net of nnU-Net's form (Isensee et al. 2021), as `architecture.json` keeps it. Lists have an entry for each stage, the full resolution
 * first; what has three numbers is `[depth, height, width]`.
 * - `patch`: training patch in voxels; `batch`: patches in a batch.
 * - `features`: channels.
 * - `kernels`: sizes of the convolutions of a stage, in the encoder and the decoder, each 1 or 3.
 * - `strides`: of the first convolution of an encoder stage, and of the transposed one back from it; the first stage has none: 1, 1, 1.
 * - `encoder`, `decoder`: `counts` of convolutions a stage, or of residual blocks of two convolutions each. The decoder has no block at the
 *   lowest stage, so one count less.
 */
export const unetSchema = z
  .strictObject({
    kind: z.literal('unet'),
    patch: patchSchema,
    batch: z.int().positive(),
    features: z.array(z.int().positive()).min(2).readonly(),
    kernels: z.array(kernelSchema).readonly(),
    strides: z.array(strideSchema).readonly(),
    encoder: stagesSchema,
    decoder: stagesSchema,
  })
  .refine(
    ({ features, kernels, strides, encoder, decoder }) =>
      [kernels, strides, encoder.counts].every(({ length }) => length === features.length) &&
      decoder.counts.length === features.length - 1,
    {
      error:
        'A U-Net has as many kernels, strides and counts of the encoder as features, and one count of the decoder less.',
    },
  )
  .refine(({ strides }) => strides[0]?.every((step) => step === 1), {
    error: 'The first stage of a U-Net has the full resolution: its stride is 1 along every axis.',
  });

/** A fixed U-Net of nnU-Net's form. */
export type UNet = z.infer<typeof unetSchema>;
