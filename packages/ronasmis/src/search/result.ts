import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { noGradient, peakMemoryBytes, scope, writeSafetensors } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { mendable } from '../base/files.ts';
import { IGNORED_CLASS } from '../data/description.ts';
import { dataTypeOf } from '../engine/device.ts';
import { type CaseScores, type DiceSummary, summariseDice } from '../evaluation/summary.ts';
import { segment } from '../inference/segment.ts';
import { childNetwork } from '../network/child.ts';
import type { Network } from '../network/network.ts';
import { elementCount } from '../network/parameters.ts';
import { freeNetworkWeights, networkWeights, type Weights } from '../network/weights.ts';
import { imageOf, labelOf } from '../preparation/prepare.ts';
import { renderReport } from '../report/page.ts';
import { chooseSlices, type Example, pickExamples, type Slice } from '../report/slices.ts';
import type { Progress } from '../run/progress.ts';
import { readRun } from '../run/read-run.ts';
import type { SearchReport } from '../run/report.ts';
import { writeRecord, writeRunFile } from '../run/run-folder.ts';
import type { SearchContext } from './context.ts';
import { caseNamed, type JudgedChild, judgeOnOwnGrid, toDeviceBatches } from './judging.ts';
import type { SearchResult } from './search.ts';
import { cacheFolderOf, type SearchRun } from './setup.ts';
import { removeState, type SearchState } from './state.ts';

/** Tells how far a phase is; rejects where the search is to stop. */
export type Tell = (progress: Progress) => Promise<void>;

/**
 * The end of a search: the chosen child segments the test cases, and weights, architecture and reports are written. A run
 * folder with `report.json` is finished; it is written last but for the page that shows it.
 * @param judgingSince seconds of the budget at which the judging that chose `best` began
 */
export async function finish(
  { context, state, budget, folder }: SearchRun,
  best: JudgedChild,
  judgingSince: number,
  tell: Tell,
): Promise<SearchResult> {
  const { architecture } = best;
  const network = childNetwork(architecture, context.dimensions);
  const testDice = await judgeTestCases(context, state, architecture, tell);
  const judgingSeconds = budget.elapsed() - judgingSince;
  const report: SearchReport = {
    validation_dice: summariseDice(best.scores),
    test_dice: testDice,
    seconds: budget.elapsed(),
    judging_seconds: judgingSeconds,
    peak_memory_bytes: peakMemoryBytes(context.device),
    parameters: elementCount(network.parameters),
  };
  await writeModel(folder, state.averaged, network);
  await writeRecord(folder, 'architecture.json', architecture);
  const { run, events } = await readRun(folder);
  const examples = pickExamples(report.test_dice).map((example) => ({
    ...example,
    slices: slicesOf(context, state.averaged, network, example),
  }));
  await writeRunFile(folder, 'report.html', renderReport({ run, architecture, report, events, examples }));
  await writeRecord(folder, 'report.json', report);
  await removeState(folder);
  await rm(cacheFolderOf(folder), { recursive: true, force: true });
  return { report, architecture };
}

/** The weights of a child, as it computes with them in float32. */
async function writeModel(folder: string, shared: Weights, network: Network): Promise<void> {
  const path = join(folder, 'model.safetensors');
  const own = noGradient(() => networkWeights(network, shared, 'float32'));
  await mendable(path, () => writeSafetensors(path, own)).finally(() => freeNetworkWeights(own, shared));
}

/** Dice on the scans' own grids. One case at a time: there may be many, and they are needed once. */
async function judgeTestCases(
  context: SearchContext,
  { averaged, step }: SearchState,
  child: Architecture,
  tell: Tell,
): Promise<DiceSummary> {
  const { test } = context.split;
  const scores: Record<string, CaseScores> = {};
  for (const [index, name] of test.entries()) {
    const told = (): Promise<void> => tell({ phase: 'final', step, done: index + 1, total: test.length });
    Object.assign(scores, await judgeOnOwnGrid(context, averaged, child, caseNamed(context, name), told));
  }
  return summariseDice(scores);
}

function slicesOf(context: SearchContext, weights: Weights, network: Network, { name }: Example): readonly Slice[] {
  const prepared = caseNamed(context, name);
  const classes = noGradient(() =>
    scope(() => {
      const [{ image }] = toDeviceBatches(context, [prepared]);
      return segment(network, networkWeights(network, weights, dataTypeOf[context.precision]), image).toNumbers();
    }),
  );
  const { shape, spacing } = prepared;
  const [depth, height, width] = shape;
  return chooseSlices({
    image: imageOf(prepared).subarray(0, depth * height * width),
    prediction: Uint8Array.from(classes),
    reference: labelOf(prepared).map((index) => (index === IGNORED_CLASS ? 0 : index)),
    shape,
    spacing,
  });
}
