import { z } from 'zod';
import type { Triple } from '../base/geometry.ts';
import { activationNames } from './activations.ts';
import { cellSchema } from './cell.ts';
import { cellsSchema, openCellsSchema } from './cells.ts';
import { patchSchema } from './patch.ts';
import { unetSchema } from './unet.ts';

const activationSchema = z.enum(activationNames);
const dilationSchema = z.union([z.literal(1), z.literal(2), z.literal(3)]);
const strideSchema = z.union([z.literal(1), z.literal(2)]);

/** Children have no kind: their run folders are older than other networks. */
const kind = z.undefined().optional();
const encoderLevelSchema = z.strictObject({ pool: z.strictObject({ depth: strideSchema, plane: strideSchema }) });
const decoderLevelSchema = z.strictObject({ skips: z.array(z.int().min(0).max(4)).readonly() });
/** A level's own block of convolutions: two, and without a shortcut, where neither is said. */
const blockSchema = z.strictObject({
  dilation: dilationSchema,
  activation: activationSchema,
  convolutions: z.union([z.literal(1), z.literal(2), z.literal(3)]).optional(),
  /** Whether what the block is given is added to what it makes of it. */
  residual: z.boolean().optional(),
});

/** A child of the macro space (paper, Table 1): every level has a block of its own. */
const macroAloneSchema = z.strictObject({
  kind,
  // Run folders from before there was a micro space do not say it.
  space: z.literal('macro').default('macro'),
  patch: patchSchema,
  /** Channels of the full resolution, doubled as those of its run are; as many as these have where it is not said. */
  width: z.int().positive().optional(),
  /** Levels, the full resolution first, whose kernels are 1x3x3; those that the data set's slices are too thick for where it is not said. */
  flat_levels: z.int().min(0).max(5).optional(),
  encoder: z.array(encoderLevelSchema.extend(blockSchema.shape)).length(5).readonly(),
  decoder: z.array(decoderLevelSchema.extend(blockSchema.shape)).length(4).readonly(),
});

/** A child of the micro space (ENAS, section 2.5): all levels have the same cell. */
const microAloneSchema = z.strictObject({
  kind,
  space: z.literal('micro'),
  patch: patchSchema,
  encoder: z.array(encoderLevelSchema).length(5).readonly(),
  decoder: z.array(decoderLevelSchema).length(4).readonly(),
  cell: cellSchema,
});

/**
 * The network that a child is joined with: it sees the same volume downsampled by the mean of cells, and the finest logits are a mean of both
 * networks' (network/child.ts).
 */
export const coarseSchema = z
  .strictObject({
    /** Voxels of a cell, `[depth, height, width]`. */
    downsampling: z.tuple([strideSchema, strideSchema, strideSchema]).readonly(),
    /** What the child's own logits weigh in the mean; both are added where it is not said, as in run folders of old, whose heads are halved. */
    fine_share: z.number().gt(0).lt(1).optional(),
    network: z.discriminatedUnion('space', [macroAloneSchema, microAloneSchema]),
  })
  .optional();
const macroSchema = macroAloneSchema.extend({ coarse: coarseSchema });
const microSchema = microAloneSchema.extend({ coarse: coarseSchema });

/**
 * One child of a search space, as `architecture.json` keeps it.
 * - `patch`: training patch in voxels.
 * - `encoder`: five levels, the full resolution first; `pool` is the stride of the pooling before the level, along the
 *   depth and within the plane. Level 0 has none: its pool is 1 and 1.
 * - `decoder`: four levels, index = level; `skips` are the encoder levels added to it.
 */
const childSchema = z.discriminatedUnion('space', [macroSchema, microSchema]);

/** Any network that can be trained, as `architecture.json` keeps it: a child of a search space, or one of another kind. */
export const architectureSchema = z.discriminatedUnion('kind', [childSchema, unetSchema, cellsSchema, openCellsSchema]);

/** Any network that can be trained. */
export type Architecture = z.infer<typeof architectureSchema>;
/** Those that say themselves how wide they are and what they are trained on. */
export type OwnArchitecture = Exclude<Architecture, ChildArchitecture>;
/** One child of a search space: all that is chosen of a network. */
export type ChildArchitecture = z.infer<typeof childSchema>;
/** The network that a child is joined with, and how it sees the volume. */
export type Coarse = NonNullable<ChildArchitecture['coarse']>;
/** A child of the macro space: every level has a block of its own. */
export type MacroArchitecture = z.infer<typeof macroSchema>;
/** A child of the micro space: all levels have the same cell. */
export type MicroArchitecture = z.infer<typeof microSchema>;
export type { Activation } from '@ronasmis/libtorch';
export type { UNet } from './unet.ts';

/** What the poolings between two levels multiply to, `[depth, height, width]`. */
export function strideBetween(child: ChildArchitecture, fine: number, coarse: number): Triple {
  const between = child.encoder.slice(fine + 1, coarse + 1);
  const depth = between.reduce((product, { pool }) => product * pool.depth, 1);
  const plane = between.reduce((product, { pool }) => product * pool.plane, 1);
  return [depth, plane, plane];
}
