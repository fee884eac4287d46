import { z } from 'zod';

const activationSchema = z.enum(['relu', 'leaky_relu', 'elu']);
const dilationSchema = z.union([z.literal(1), z.literal(2), z.literal(3)]);
const strideSchema = z.union([z.literal(1), z.literal(2)]);

/**
 * One child of the search space (paper, Table 1), as `architecture.json` keeps it.
 * - `patch`: training patch in voxels.
 * - `encoder`: five levels, the full resolution first; `pool` is the stride of the pooling before the level, along the
 *   depth and within the plane. Level 0 has none: its pool is 1 and 1.
 * - `decoder`: four levels, index = level; `skips` are the encoder levels added to it.
 */
export const architectureSchema = z.strictObject({
  patch: z.strictObject({
    depth: z.int().positive(),
    height: z.int().positive(),
    width: z.int().positive(),
  }),
  encoder: z
    .array(
      z.strictObject({
        pool: z.strictObject({ depth: strideSchema, plane: strideSchema }),
        dilation: dilationSchema,
        activation: activationSchema,
      }),
    )
    .length(5)
    .readonly(),
  decoder: z
    .array(
      z.strictObject({
        dilation: dilationSchema,
        activation: activationSchema,
        skips: z.array(z.int().min(0).max(4)).readonly(),
      }),
    )
    .length(4)
    .readonly(),
});

export type Architecture = z.infer<typeof architectureSchema>;
export type EncoderLevel = Architecture['encoder'][number];
export type DecoderLevel = Architecture['decoder'][number];
export type Activation = z.infer<typeof activationSchema>;
