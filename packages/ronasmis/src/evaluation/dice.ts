/** Label values of a volume in memory order: one value a voxel, whole numbers, 0 is background. */
export type Labels = ArrayLike<number>;

/** Voxel counts of one class: in the prediction, in the reference, and where both have it. */
export type Overlap = { readonly predicted: number; readonly reference: number; readonly both: number };

/**
 * Counts, in one pass, every foreground class that occurs in the prediction or the reference.
 * @returns label value -> overlap; background (0) is left out
 * @throws RangeError when the two volumes differ in their number of voxels
 */
export function countOverlaps(prediction: Labels, reference: Labels): ReadonlyMap<number, Overlap> {
  if (prediction.length !== reference.length) {
    throw new RangeError(`prediction has ${prediction.length} voxels, reference has ${reference.length}`);
  }
  const counts = new Map<number, { predicted: number; reference: number; both: number }>();
  const countOf = (label: number) => {
    let count = counts.get(label);
    if (count === undefined) {
      count = { predicted: 0, reference: 0, both: 0 };
      counts.set(label, count);
    }
    return count;
  };
  for (let voxel = 0; voxel < prediction.length; voxel++) {
    const predicted = prediction[voxel];
    const expected = reference[voxel];
    // Most voxels are background in both: skip them before the look-ups.
    if (predicted !== 0) countOf(predicted).predicted++;
    if (expected !== 0) {
      const count = countOf(expected);
      count.reference++;
      if (predicted === expected) count.both++;
    }
  }
  return counts;
}

/**
 * Dice coefficient of one class, 2 |A and B| / (|A| + |B|), between 0 and 1 (Dice 1945).
 * `null` where the class is in neither volume: such a case says nothing about the class and counts in no mean.
 * A class that was predicted where the reference has none counts 0, as in nnU-Net; MONAI's `ignore_empty` would skip it.
 */
export function diceOfOverlap(overlap: Overlap): number | null {
  const total = overlap.predicted + overlap.reference;
  return total === 0 ? null : (2 * overlap.both) / total;
}

/**
 * Dice of the given classes of two label volumes.
 * @param classes label values, e.g. `[1, 2]`
 * @returns label value (as text) -> Dice, `null` where the class is in neither volume
 */
export function dicePerClass(
  prediction: Labels,
  reference: Labels,
  classes: readonly number[],
): Record<string, number | null> {
  const overlaps = countOverlaps(prediction, reference);
  const none = { predicted: 0, reference: 0, both: 0 };
  return Object.fromEntries(classes.map((label) => [String(label), diceOfOverlap(overlaps.get(label) ?? none)]));
}
