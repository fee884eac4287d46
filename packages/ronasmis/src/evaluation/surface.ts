import { squaredDistances } from './distance-transform.ts';
import { type Box, surfaceOf } from './mask.ts';

/**
 * How far apart the surfaces of two masks are. `null` where a score is undefined: `hd95_mm` when a mask is empty,
 * `nsd` when both are.
 */
export type SurfaceScores = { readonly hd95_mm: number | null; readonly nsd: number | null };

/**
 * HD95 and normalised surface distance of two masks, as MONAI's `compute_hausdorff_distance(percentile=95)` and
 * `compute_surface_dice` define them: a surface is the mask's voxels minus its erosion, distances run between voxel
 * centres, HD95 is the larger of the two directed 95th percentiles (linear interpolation), and NSD is the fraction of both
 * surfaces' voxels that lie within the tolerance of the other surface (Nikolov et al., arXiv:1809.04430).
 * @param prediction mask [depth, height, width]; it and `reference` need only cover the box that holds both
 * @param spacing millimetres along [depth, height, width]
 */
export function surfaceScores(
  prediction: Uint8Array,
  reference: Uint8Array,
  shape: Box['shape'],
  spacing: readonly number[],
  toleranceMillimetres: number,
): SurfaceScores {
  const predicted = surfaceOf(prediction, shape);
  const expected = surfaceOf(reference, shape);
  const fromPrediction = distancesBetween(predicted, expected, shape, spacing);
  const fromReference = distancesBetween(expected, predicted, shape, spacing);
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

/** Distances in millimetres, ascending, from each voxel of one surface to the nearest of the other. */
function distancesBetween(from: Uint8Array, to: Uint8Array, shape: Box['shape'], spacing: readonly number[]) {
  const squared = squaredDistances(to, shape, spacing);
  const distances = new Float64Array(from.reduce((count, voxel) => count + voxel, 0));
  for (let voxel = 0, i = 0; voxel < from.length; voxel++) {
    if (from[voxel] === 1) distances[i++] = Math.sqrt(squared[voxel]);
  }
  return distances.sort();
}

/** Percentile of ascending values with linear interpolation, as NumPy's and PyTorch's default. */
function percentile(ascending: Float64Array, percent: number): number {
  const position = ((ascending.length - 1) * percent) / 100;
  const below = Math.floor(position);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below] + (ascending[above] - ascending[below]) * (position - below);
}
