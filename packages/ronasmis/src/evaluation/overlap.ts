import type { Box } from '../base/geometry.ts';

/** Label values of a volume in memory order: one value a voxel, whole numbers, 0 is background. */
export type Labels = ArrayLike<number>;

/** Voxel counts of one class: in the prediction, in the reference, and where both have it. */
export type Overlap = { readonly predicted: number; readonly reference: number; readonly both: number };

/** What two volumes have of one class, and the smallest box that holds all of it. */
export type ClassOverlap = { readonly overlap: Overlap; readonly box: Box };

/** A class while it is counted; `low` and `high` are its first and last voxel along [depth, height, width]. */
type Found = {
  readonly overlap: { predicted: number; reference: number; both: number };
  readonly low: [number, number, number];
  readonly high: [number, number, number];
};

/**
 * Counts and bounds, in one pass, every foreground class that occurs in the prediction or the reference.
 * @param shape [depth, height, width] of both
 * @returns label value -> overlap; background (0) is left out
 * @throws RangeError when the two volumes differ in their number of voxels
 */
export function compareLabels(
  prediction: Labels,
  reference: Labels,
  shape: Box['shape'],
): ReadonlyMap<number, ClassOverlap> {
  if (prediction.length !== reference.length) {
    throw new RangeError(`prediction has ${prediction.length} voxels, reference has ${reference.length}`);
  }
  const [depth, height, width] = shape;
  const classes = new Map<number, Found>();
  for (let row = 0; row < depth * height; row++) {
    const start = row * width;
    const end = start + width;
    for (let voxel = start; voxel < end; ) {
      // Neighbours are mostly equal: look-ups and bounds once for each run of one pair of labels.
      const first = voxel;
      const predicted = prediction[first];
      const expected = reference[first];
      do voxel++;
      while (voxel < end && prediction[voxel] === predicted && reference[voxel] === expected);
      if (predicted === 0 && expected === 0) continue;
      const run = voxel - first;
      const position = { z: Math.floor(row / height), y: row % height, first: first - start, last: voxel - 1 - start };
      if (predicted !== 0) {
        const { overlap } = found(classes, predicted, position);
        overlap.predicted += run;
        if (predicted === expected) overlap.both += run;
      }
      if (expected !== 0) found(classes, expected, position).overlap.reference += run;
    }
  }
  return new Map([...classes].map(([label, { overlap, low, high }]) => [label, { overlap, box: boxOf(low, high) }]));
}

/** Voxels of one class beside each other along the width. */
type Run = { readonly z: number; readonly y: number; readonly first: number; readonly last: number };

/** The class, its bounds wide enough for a run. Runs come in memory order. */
function found(classes: Map<number, Found>, label: number, { z, y, first, last }: Run): Found {
  const known = classes.get(label);
  if (known === undefined) {
    const overlap = { predicted: 0, reference: 0, both: 0 };
    const fresh: Found = { overlap, low: [z, y, first], high: [z, y, last] };
    classes.set(label, fresh);
    return fresh;
  }
  const { low, high } = known;
  high[0] = z; // only grows
  if (y < low[1]) low[1] = y;
  if (y > high[1]) high[1] = y;
  if (first < low[2]) low[2] = first;
  if (last > high[2]) high[2] = last;
  return known;
}

function boxOf(low: Box['offset'], high: Box['offset']): Box {
  return { offset: low, shape: [high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1] };
}
