import { z } from 'zod';
import type { Triple } from '../base/geometry.ts';

/** A training patch in voxels. */
export const patchSchema = z.strictObject({
  depth: z.int().positive(),
  height: z.int().positive(),
  width: z.int().positive(),
});

/** A network's training patch, `[depth, height, width]`. */
export function patchOf({ patch: { depth, height, width } }: { readonly patch: z.infer<typeof patchSchema> }): Triple {
  return [depth, height, width];
}
