import { join } from 'node:path';
import { allErrors } from '../../base/errors.ts';
import { sum } from '../../base/statistics.ts';
import { loadCase } from '../../data/case.ts';
import type { Labelling } from '../../data/description.ts';
import { diceOfOverlap } from '../../evaluation/dice.ts';
import type { Labels } from '../../evaluation/overlap.ts';
import { type CaseScores, type DiceSummary, summariseDice } from '../../evaluation/summary.ts';
import { readLabelMap } from '../../formats/read-volume.ts';
import type { RunRecord } from '../../run/run-record.ts';
import { scoredClasses } from '../../search/context.ts';
import { nnunetFolders } from './folders.ts';
import type { NnunetGiven } from './record.ts';

/**
 * Dice of what nnU-Net says of the test cases, on the scans' own grids.
 * @throws UserError where a case of the data set can't be read any more
 */
export async function scoreTestCases(
  folder: string,
  { labels, regions }: RunRecord,
  { test, ignored_value: ignoredValue }: NnunetGiven,
): Promise<DiceSummary> {
  const { predictions } = nnunetFolders(folder);
  const labelling = { labels, regions, ...(ignoredValue !== undefined && { ignoredValue }) };
  const scores: Record<string, CaseScores> = {};
  for (const { name, images, label } of test) {
    const prediction = await readLabelMap(join(predictions, `${name}.nii.gz`));
    const result = await loadCase({ name, images, label });
    if (result.kind === 'unreadable') throw allErrors(result.problems.map(({ message }) => message));
    scores[name] = diceOfIndices(prediction.data, result.loaded.labelVolume.data, labelling);
  }
  return summariseDice(scores);
}

/**
 * Dice of each class or region that a data set is scored by.
 * @param prediction class indices
 * @param reference label values of the same voxels; those to be ignored count nowhere
 */
export function diceOfIndices(prediction: Labels, reference: Labels, labelling: Labelling): CaseScores {
  const classes = labelling.labels.length;
  const indices = new Map(labelling.labels.map(({ value }, index) => [value, index]));
  const counts = new Float64Array(classes * classes);
  for (let voxel = 0; voxel < reference.length; voxel++) {
    const expected = indices.get(reference[voxel]);
    if (expected !== undefined) counts[expected * classes + prediction[voxel]] += 1;
  }
  const all = [...indices.values()];
  const voxels = (rows: readonly number[], columns: readonly number[]): number =>
    sum(rows.flatMap((row) => columns.map((column) => counts[row * classes + column])));
  const entries = scoredClasses(labelling).map(({ name, classes: own }): [string, number | null] => [
    name,
    diceOfOverlap({ predicted: voxels(all, own), reference: voxels(own, all), both: voxels(own, own) }),
  ]);
  return Object.fromEntries(entries);
}
