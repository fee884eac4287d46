import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { noGradient, peakMemoryBytes, scope, writeSafetensors } from '@ronasmis/libtorch';
import { fixable } from '../base/files.ts';
import { IGNORED_CLASS } from '../data/description.ts';
import { dataTypeOf } from '../engine/device.ts';
import { type CaseScores, caseMean, type DiceSummary, spreadOf, summariseDice } from '../evaluation/summary.ts';
import { segment } from '../inference/segment.ts';
import { looksOf } from '../inference/tiles.ts';
import type { Network } from '../network/network.ts';
import { networkOf } from '../network/of-architecture.ts';
import { elementCount } from '../network/parameters.ts';
import { freeNetworkWeights, networkWeights, type Weights } from '../network/weights.ts';
import { removeSmallComponents } from '../preparation/components.ts';
import { imageOf, labelOf } from '../preparation/prepare.ts';
import { writeReport } from '../report/page.ts';
import { chooseSlices, type Example, pickExamples, type Slice } from '../report/slices.ts';
import { readRun } from '../run/read-run.ts';
import type { SearchReport } from '../run/report.ts';
import { writeRecord } from '../run/run-folder.ts';
import { mustStopEvaluating } from './clock.ts';
import { caseNamed } from './context.ts';
import { toDeviceBatches } from './device-batches.ts';
import {
  bestOf,
  type Evaluable,
  type Evaluation,
  type EvaluationHooks,
  type Evaluator,
  evaluateChildren,
  evaluatedTwin,
  evaluateOnOwnGrid,
} from './evaluating.ts';
import { gainOver } from './gain.ts';
import { joinedWeights, joinedWith } from './joining.ts';
import { cacheFolderOf, type Run } from './run.ts';
import { removeState } from './state.ts';
import type { SearchResult } from './watching.ts';

/** What a run chooses its result from. */
export interface Candidates {
  /** Children as its last step has evaluated them. */
  readonly evaluated: readonly (Evaluable & Evaluation)[];
  /** Others that deserve to be evaluated; those that were are known again. */
  readonly others: readonly Evaluable[];
  /** The base child, with which what was found is compared; undefined where nothing is chosen. */
  readonly reference?: Evaluable;
}

/**
 * The end of a run: the best child segments the test cases, and weights, architecture and reports are written. A run folder with
 * `report.json` is finished; it is written last, except the page that shows it.
 * @param ofShared evaluates by the shared weights, on the validation cases at full resolution
 */
export async function finish(run: Run, ofShared: Evaluator, candidates: Candidates): Promise<SearchResult> {
  const { context, state, clock, folder, meet } = run;
  const since = clock.elapsed();
  const { averaged } = state.trainer;
  const weights = state.coarse ? joinedWeights(averaged, state.coarse) : averaged;
  const evaluator = { ...ofShared, weights };
  const found = await joinedWhereBetter(run, evaluator, await bestChild(run, evaluator, candidates));
  const { architecture, scores, cleaned } = found;
  const gain = await gainOf(run, evaluator, candidates, found);
  const testDice = context.isTestedElsewhere ? summariseDice({}) : await evaluateTestCases(run, weights, found);
  await meet();
  const seconds = clock.elapsed();
  const network = networkOf(architecture, context.dimensions);
  const report: SearchReport = {
    validation_dice: summariseDice(scores),
    test_dice: testDice,
    seconds,
    evaluation_seconds: seconds - since,
    peak_memory_bytes: peakMemoryBytes(context.device),
    parameters: elementCount(network.parameters),
    cleaned_classes: cleaned,
    ...(gain && { gain }),
  };
  // The first rank writes, and nobody ends before it has.
  if (context.team.isFirst) await write(run, { found, weights, network, report });
  await rm(cacheFolderOf(folder, context.team), { recursive: true, force: true });
  await meet();
  return { report, architecture };
}

/** What a run leaves in its folder. */
interface Left {
  readonly found: Evaluable & Evaluation;
  readonly weights: Weights;
  readonly network: Network;
  readonly report: SearchReport;
}

async function write(run: Run, { found, weights, network, report }: Left): Promise<void> {
  const { folder } = run;
  const { architecture } = found;
  await writeModel(folder, weights, network);
  await writeRecord(folder, 'architecture.json', architecture);
  const { run: record, events } = await readRun(folder);
  const examples = pickExamples(report.test_dice).map((example) => ({
    ...example,
    slices: slicesOf(run, weights, found, example),
  }));
  await writeReport({ folder, run: record, architecture, report, events, examples });
  await writeRecord(folder, 'report.json', report);
  await removeState(folder);
}

/** The best of the candidates, of which those that were not evaluated are now, while there is time; the first of equals. */
async function bestChild(run: Run, evaluator: Evaluator, { evaluated, others }: Candidates) {
  const left = others.filter((child) => !evaluatedTwin(evaluated, child));
  const finalists = await evaluateChildren(evaluator, left, evaluatingAtEnd(run));
  return bestOf([...evaluated, ...finalists]);
}

/** What was found, with the coarse child beside it, by the share that the validation cases have it best, unless they are clearly worse so. */
async function joinedWhereBetter(
  run: Run,
  evaluator: Evaluator,
  found: Evaluable & Evaluation,
): Promise<Evaluable & Evaluation> {
  const { coarse } = run.state;
  const joined = coarse ? joinedWith(found, coarse) : [];
  const hooks = evaluatingAtEnd(run);
  if (joined.length === 0 || hooks.mustStop()) return found;
  const best = bestOf(await evaluateChildren(evaluator, joined, hooks));
  return isClearlyWorse(best, found) ? found : best;
}

/**
 * Whether the mean Dice of the same cases is lower by more than two standard errors of the paired differences. A mean of two networks' logits nearly
 * always generalises better than one of them, and one case of a handful that is lost says little against that.
 */
function isClearlyWorse(one: Evaluation, other: Evaluation): boolean {
  if (one.outOfMemory) return true;
  const differences = Object.keys(other.scores).map((name) => {
    const [ofOne, ofOther] = [one, other].map(({ scores }) => caseMean(scores[name]));
    return ofOne === null || ofOther === null ? null : ofOne - ofOther;
  });
  const spread = spreadOf(differences);
  return spread !== null && spread.mean + (2 * spread.deviation) / Math.sqrt(spread.count) < 0;
}

/** What was gained over the base child of a search. */
function gainOf(run: Run, evaluator: Evaluator, { evaluated, reference }: Candidates, found: Evaluable & Evaluation) {
  if (reference === undefined) return undefined;
  const hooks = evaluatingAtEnd(run);
  return gainOver(reference, found, evaluated, async (network) =>
    hooks.mustStop() ? undefined : (await evaluateChildren(evaluator, [network], hooks)).at(0),
  );
}

const evaluatingAtEnd = ({ clock, watch, meet }: Run): EvaluationHooks => ({
  meet,
  between: (done, total) => watch.tell({ phase: 'evaluate', step: clock.step, done, total }),
  mustStop: () => mustStopEvaluating(clock),
});

/** The weights of a child, as it computes with them in float32. */
async function writeModel(folder: string, shared: Weights, network: Network): Promise<void> {
  const path = join(folder, 'model.safetensors');
  const own = noGradient(() => networkWeights(network, shared, 'float32'));
  await fixable(path, () => writeSafetensors(path, own)).finally(() => freeNetworkWeights(own, shared));
}

/** Dice on the scans' own grids. One case at a time: there may be many, and they are needed once. */
async function evaluateTestCases(run: Run, weights: Weights, child: Evaluable & Evaluation): Promise<DiceSummary> {
  const { context, clock, watch } = run;
  const test = context.team.share(context.split.test);
  const evaluator = { context, weights };
  const scores: Record<string, CaseScores> = {};
  for (const [index, name] of test.entries()) {
    const told = (): Promise<void> =>
      watch.tell({ phase: 'final', step: clock.step, done: index + 1, total: test.length });
    Object.assign(scores, await evaluateOnOwnGrid(evaluator, child, caseNamed(context, name), told));
  }
  const all: Readonly<Record<string, CaseScores>> = Object.assign({}, ...context.team.gather(scores));
  return summariseDice(Object.fromEntries(context.split.test.map((name) => [name, all[name]])));
}

function slicesOf(
  { context }: Run,
  weights: Weights,
  { architecture, cleaned }: Evaluable & Evaluation,
  { name }: Example,
): readonly Slice[] {
  const prepared = caseNamed(context, name);
  const network = networkOf(architecture, context.dimensions);
  const { inference } = context.recipe;
  const classes = noGradient(() =>
    scope(() => {
      const [{ image }] = toDeviceBatches(context, [prepared]);
      const own = networkWeights(network, weights, dataTypeOf[context.precision]);
      const { window, region } = looksOf(inference, architecture);
      return segment(network, own, image, { tile: window, region, inference }).toNumbers();
    }),
  );
  const { shape, spacing } = prepared;
  const [depth, height, width] = shape;
  return chooseSlices({
    image: imageOf(prepared).subarray(0, depth * height * width),
    prediction: removeSmallComponents(Uint8Array.from(classes), shape, cleaned),
    reference: labelOf(prepared).map((index) => (index === IGNORED_CLASS ? 0 : index)),
    shape,
    spacing,
  });
}
