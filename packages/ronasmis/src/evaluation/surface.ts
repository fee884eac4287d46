import { scope, surfaceDistances, type Tensor, tensor } from '@ronasmis/libtorch';
import type { Triple } from '../base/geometry.ts';

/**
 * How far apart the surfaces of two masks are. `null` where a score is undefined: `hd95_mm` when a mask is empty,
 * `nsd` when both are.
 */
export type SurfaceScores = { readonly hd95_mm: number | null; readonly nsd: number | null };

/** Where two masks lie, and what counts as near. */
export interface SurfaceGrid {
  /** `[depth, height, width]` in voxels. */
  readonly shape: Triple;
  /** `[depth, height, width]` in millimetres. */
  readonly spacing: readonly number[];
  /** How far off a surface may be to count as right in NSD. */
  readonly toleranceMillimetres: number;
}

/**
 * HD95 and normalised surface distance of two masks, as MONAI's `compute_hausdorff_distance(percentile=95)` and
 * `compute_surface_dice` define them: a surface is the mask's voxels minus its erosion, distances run between voxel
 * centres, HD95 is the larger of the two directed 95th percentiles (linear interpolation), and NSD is the fraction of both
 * surfaces' voxels that lie within the tolerance of the other surface (Nikolov et al., arXiv:1809.04430).
 * @param prediction mask [depth, height, width], not 0 where set; it and `reference` need only cover the box that
 *   holds both
 */
export function surfaceScores(
  prediction: Uint8Array,
  reference: Uint8Array,
  { shape, spacing, toleranceMillimetres }: SurfaceGrid,
): SurfaceScores {
  const mask = (values: Uint8Array) => tensor(values, shape, { share: true });
  const [fromPrediction, fromReference] = scope(() =>
    surfaceDistances(mask(prediction), mask(reference), spacing).map(ascending),
  );
  const count = fromPrediction.length + fromReference.length;
  if (count === 0) return { hd95_mm: null, nsd: null };
  if (fromPrediction.length === 0 || fromReference.length === 0) return { hd95_mm: null, nsd: 0 };
  // A distance that equals the tolerance counts: at 0.8 mm x 1.2 mm, 2.0000000000000004 is 2.
  const limit = toleranceMillimetres * (1 + 1e-6);
  const within = (distances: Float64Array) => distances.reduce((count, d) => count + (d <= limit ? 1 : 0), 0);
  return {
    hd95_mm: Math.max(percentile(fromPrediction, 95), percentile(fromReference, 95)),
    nsd: (within(fromPrediction) + within(fromReference)) / count,
  };
}

/** The values of a float64 tensor in ascending order. */
function ascending(distances: Tensor): Float64Array {
  const values = distances.toArray();
  if (!(values instanceof Float64Array)) throw new TypeError('Distances are float64.');
  return values.sort();
}

/** Percentile of ascending values with linear interpolation, as NumPy's and PyTorch's default. */
function percentile(ascending: Float64Array, percent: number): number {
  const position = ((ascending.length - 1) * percent) / 100;
  const below = Math.floor(position);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below] + (ascending[above] - ascending[below]) * (position - below);
}
