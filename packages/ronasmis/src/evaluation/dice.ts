import { compareLabels, type Labels, type Overlap } from './overlap.ts';

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
 * @throws RangeError when the two volumes differ in their number of voxels
 */
export function dicePerClass(
  prediction: Labels,
  reference: Labels,
  classes: readonly number[],
): Record<string, number | null> {
  const overlaps = compareLabels(prediction, reference, [1, 1, reference.length]);
  const none = { predicted: 0, reference: 0, both: 0 };
  return Object.fromEntries(
    classes.map((label) => [String(label), diceOfOverlap(overlaps.get(label)?.overlap ?? none)]),
  );
}
