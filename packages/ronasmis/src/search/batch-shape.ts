import type { Architecture } from '../architecture/architecture.ts';
import { patchOf } from '../architecture/patch.ts';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import type { RunContext } from './context.ts';

/**
 * A network's training patch, and how many are in a batch: as many as it says itself, or, of a child, so many that every batch has about the
 * voxels of the largest patch.
 */
export function batchShape(
  { batchVoxels }: Pick<RunContext, 'batchVoxels'>,
  architecture: Architecture,
): { readonly patch: Triple; readonly patches: number } {
  const patch = patchOf(architecture);
  const patches = architecture.kind === undefined ? Math.floor(batchVoxels / voxelsOf(patch)) : architecture.batch;
  return { patch, patches: Math.max(1, patches) };
}
