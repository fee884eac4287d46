import { confusionMatrix, multiply, notEqualScalar, type Tensor, to } from '@ronasmis/libtorch';
import { sum } from '../base/statistics.ts';
import { IGNORED_CLASS } from '../data/description.ts';
import { diceOfOverlap } from '../evaluation/dice.ts';
import { type CaseScores, patientMean } from '../evaluation/summary.ts';
import { smallComponents } from '../preparation/components.ts';
import type { RunContext } from './context.ts';

/** What was predicted of a case: voxels by the class of the label (row) and of the prediction (column). */
export interface ClassCounts {
  readonly voxels: readonly number[];
  /** Those of them that are in small components of what was predicted of their class; none where nobody asks for it. */
  readonly small: readonly number[];
  /** By class index, voxels of the label outside of what the network sees. */
  readonly outsideCrop: readonly number[];
}

/** What of a run says how predictions are scored. */
type Scoring = Pick<RunContext, 'labelValues' | 'scored'>;

/**
 * Counts the voxels of a prediction beside those of its label, both uint8 `[1, depth, height, width]` in class indices.
 * @param components whether components are looked for
 */
export function countClasses(
  prediction: Tensor,
  label: Tensor,
  { labelValues: { length: classes }, ignoredValue }: Pick<RunContext, 'labelValues' | 'ignoredValue'>,
  { outsideCrop, components }: { readonly outsideCrop: readonly number[]; readonly components: boolean },
): ClassCounts {
  // Where nothing is scored, both are made background, which has no Dice.
  const kept = ignoredValue !== undefined ? to(notEqualScalar(label, IGNORED_CLASS), { dataType: 'uint8' }) : undefined;
  const [predictions, labels] = [prediction, label].map((one) => (kept ? multiply(one, kept) : one));
  const voxels = confusionMatrix(predictions, labels, classes).toNumbers();
  return { voxels, small: components ? countSmall(prediction, label, classes) : [], outsideCrop };
}

/** Of what is in small components, where anything is scored. */
function countSmall(prediction: Tensor, label: Tensor, classes: number): readonly number[] {
  const [, depth, height, width] = prediction.shape;
  const [predicted, expected] = [prediction.toArray(), label.toArray()];
  const counts = new Array<number>(classes * classes).fill(0);
  if (!(predicted instanceof Uint8Array && expected instanceof Uint8Array)) throw new TypeError('Classes are uint8.');
  for (const { label: found, first, end } of smallComponents(predicted, [depth, height, width])) {
    for (let voxel = first; voxel < end; voxel++) {
      if (expected[voxel] !== IGNORED_CLASS) counts[expected[voxel] * classes + found] += 1;
    }
  }
  return counts;
}

/**
 * Dice of what is scored; `null` where neither prediction nor label has it.
 * @param cleaned class indices whose small components are taken for background
 */
export function scoresOf(
  { voxels, small, outsideCrop }: ClassCounts,
  { labelValues: { length: all }, scored }: Scoring,
  cleaned: readonly number[],
): CaseScores {
  const indices = Array.from({ length: all }, (_, index) => index);
  const predictedAs = (row: number, column: number): number =>
    voxels[row * all + column] - (cleaned.includes(column) ? small[row * all + column] : 0);
  const count = (labelled: readonly number[], predicted: readonly number[]): number =>
    sum(labelled.flatMap((row) => predicted.map((column) => predictedAs(row, column))));
  const entries = scored.map(({ name, classes }) => {
    const inCrop = sum(classes.flatMap((row) => indices.map((column) => voxels[row * all + column])));
    const reference = inCrop + sum(classes.map((index) => outsideCrop[index]));
    return [name, diceOfOverlap({ predicted: count(indices, classes), reference, both: count(classes, classes) })];
  });
  return Object.fromEntries(entries);
}

/**
 * The classes to be cleaned of small components: what is one piece in every training label, and no worse so in the patient-wise Dice of these cases.
 */
export function classesToClean(
  counts: readonly ClassCounts[],
  { labelValues, scored, cases, split }: Pick<RunContext, 'labelValues' | 'scored' | 'cases' | 'split'>,
): readonly number[] {
  const training = new Set(split.training);
  const scattered = new Set(cases.flatMap((one) => (training.has(one.name) ? one.scattered : [])));
  const diceOf = (cleaned: readonly number[]): number =>
    patientMean(counts.map((ofCase) => scoresOf(ofCase, { labelValues, scored }, cleaned))) ?? 0;
  const asTheyAre = diceOf([]);
  return [...labelValues.keys()].slice(1).filter((index) => !scattered.has(index) && diceOf([index]) >= asTheyAre);
}
