import type { Architecture } from '../architecture/architecture.ts';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import type { RunContext } from './context.ts';

/** A child's training patch, `[depth, height, width]`. */
export function patchOf({ patch: { depth, height, width } }: Pick<Architecture, 'patch'>): Triple {
  return [depth, height, width];
}

/**
 * A child's patch, and how many are in a batch, all of one case: so many that every batch has about the voxels of the largest patch.
 */
export function batchShape(
  { batchVoxels }: Pick<RunContext, 'batchVoxels'>,
  child: Pick<Architecture, 'patch'>,
): { readonly patch: Triple; readonly patches: number } {
  const patch = patchOf(child);
  return { patch, patches: Math.max(1, Math.floor(batchVoxels / voxelsOf(patch))) };
}
