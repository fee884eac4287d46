import { z } from 'zod';

/** Three numbers, one a spatial axis: `[depth, height, width]` of what is in memory, x, y, z of a header. */
export const tripleSchema = z.tuple([z.number(), z.number(), z.number()]).readonly();
/** Three numbers, one an axis, in the order that is said where they stand. */
export type Triple = z.infer<typeof tripleSchema>;

/** The spatial axes of what is in memory, in their order. */
export const axes = ['depth', 'height', 'width'] as const;
export type Axis = (typeof axes)[number];

/** From `[depth, height, width]` to x, y, z, and back. */
export const reversed = ([first, second, third]: Triple): Triple => [third, second, first];

/** A box of voxels, `[depth, height, width]`: its first voxel and its size. */
export interface Box {
  readonly offset: Triple;
  readonly shape: Triple;
}

/** Voxels of a volume of this shape. */
export const voxelsOf = ([depth, height, width]: Triple): number => depth * height * width;

/** What strides one after the other come to together; 1 along each axis where there is none. */
export const productOf = (strides: readonly Triple[]): Triple =>
  strides.reduce<Triple>(([depth, height, width], [d, h, w]) => [depth * d, height * h, width * w], [1, 1, 1]);

/** Whether a stride or a kernel is 1 along each axis. */
export const isOne = (size: Triple): boolean => size.every((extent) => extent === 1);
