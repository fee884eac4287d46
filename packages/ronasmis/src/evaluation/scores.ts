import type { Labelling } from '../data/description.ts';
import { diceOfOverlap } from './dice.ts';
import { cropMask } from './mask.ts';
import { compareLabels, type Labels } from './overlap.ts';
import { type SurfaceGrid, surfaceScores } from './surface.ts';

/** Scores of one class in one case. `dice`, `nsd` and `hd95_mm` are `null` where they are undefined. */
export type ClassScores = {
  readonly dice: number | null;
  readonly hd95_mm: number | null;
  readonly nsd: number | null;
  readonly prediction_mm3: number;
  readonly reference_mm3: number;
  /** Of the prediction, what the reference does not have. */
  readonly false_positive_mm3: number;
};

/**
 * Scores of every foreground class that occurs in one of two label volumes. Each class is looked at within its own box,
 * so that time and memory follow the sizes of the volume and of the classes' boxes, not voxels times classes.
 * @returns label value as text -> scores
 * @throws RangeError when the two volumes differ in their number of voxels
 */
export function scoreClasses(
  prediction: Labels,
  reference: Labels,
  { shape, spacing, toleranceMillimetres }: SurfaceGrid,
): Map<string, ClassScores> {
  const voxelVolume = spacing[0] * spacing[1] * spacing[2];
  const scores = new Map<string, ClassScores>();
  for (const [label, { box, overlap }] of compareLabels(prediction, reference, shape)) {
    const predictedMask = cropMask(prediction, label, shape, box);
    const referenceMask = cropMask(reference, label, shape, box);
    scores.set(String(label), {
      dice: diceOfOverlap(overlap),
      ...surfaceScores(predictedMask, referenceMask, { shape: box.shape, spacing, toleranceMillimetres }),
      prediction_mm3: overlap.predicted * voxelVolume,
      reference_mm3: overlap.reference * voxelVolume,
      false_positive_mm3: (overlap.predicted - overlap.both) * voxelVolume,
    });
  }
  return scores;
}

/**
 * As {@link scoreClasses}, of what a data set scores: its regions by their names in place of its labels, where it has any, and no voxel that has
 * the ignored value in the reference.
 */
export function scoreLabelling(
  prediction: Labels,
  reference: Labels,
  { regions = [], ignoredValue }: Partial<Pick<Labelling, 'regions' | 'ignoredValue'>>,
  grid: SurfaceGrid,
): ReadonlyMap<string, ClassScores> {
  const kept = (labels: Labels): Labels =>
    ignoredValue === undefined
      ? labels
      : Float64Array.from(labels, (label, voxel) => (reference[voxel] === ignoredValue ? 0 : label));
  const [predicted, wanted] = [kept(prediction), kept(reference)];
  if (regions.length === 0) return scoreClasses(predicted, wanted, grid);
  const scores = regions.flatMap(({ name, values }) => {
    const [inPrediction, inReference] = [predicted, wanted].map((labels) =>
      Uint8Array.from(labels, (label) => (values.includes(label) ? 1 : 0)),
    );
    const found = scoreClasses(inPrediction, inReference, grid).get('1');
    return found === undefined ? [] : [[name, found] as const];
  });
  return new Map(scores);
}
