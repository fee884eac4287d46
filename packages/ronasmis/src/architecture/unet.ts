import { z } from 'zod';
import { tripleSchema } from '../base/geometry.ts';
import { patchSchema } from './patch.ts';

/** What the stages of one part are made of, and how many of it each has. */
const stagesSchema = z.strictObject({
  block: z.enum(['convolutions', 'residual']),
  counts: z.array(z.int().positive()).min(1).readonly(),
});

/**
 * A U-Net whose layout is fixed, of nnU-Net's form: what a planner or a person says of it, as `architecture.json` keeps it. Stages are listed from
 * the full resolution down; the decoder has one less than the encoder.
 */
export const unetSchema = z
  .strictObject({
    kind: z.literal('unet'),
    patch: patchSchema,
    /** Patches in a batch. */
    batch: z.int().positive(),
    /** Channels of each stage. */
    features: z.array(z.int().positive()).min(2).readonly(),
    /** `[depth, height, width]` of each stage's kernels. */
    kernels: z.array(tripleSchema).readonly(),
    /** By which each stage's features are smaller than those of the stage before; the first is 1 x 1 x 1. */
    strides: z.array(tripleSchema).readonly(),
    encoder: stagesSchema,
    decoder: stagesSchema,
  })
  .refine(({ features, kernels, strides, encoder, decoder }) => {
    const stages = features.length;
    const lengths = [kernels.length, strides.length, encoder.counts.length, decoder.counts.length + 1];
    return lengths.every((length) => length === stages);
  }, 'features, kernels, strides and encoder.counts have an entry a stage, decoder.counts one less');
