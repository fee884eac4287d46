import { isDeepStrictEqual } from 'node:util';
import {
  confusionMatrix,
  multiply,
  narrow,
  noGradient,
  notEqualScalar,
  scope,
  type Tensor,
  to,
} from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { sum } from '../base/statistics.ts';
import { IGNORED_CLASS } from '../data/description.ts';
import { dataTypeOf } from '../engine/device.ts';
import { diceOfOverlap } from '../evaluation/dice.ts';
import { type CaseScores, patientMean } from '../evaluation/summary.ts';
import { segment } from '../inference/segment.ts';
import { windowOf } from '../inference/tiles.ts';
import { networkOf } from '../network/of-architecture.ts';
import { freeNetworkWeights, networkWeights, type Weights } from '../network/weights.ts';
import { downsampledShape } from '../preparation/downsampling.ts';
import type { PreparedCase } from '../preparation/prepare.ts';
import { whereMemorySuffices } from '../training/out-of-memory.ts';
import type { RunContext } from './context.ts';
import { type DeviceBatch, freeBatches, toOwnGridBatch } from './device-batches.ts';

/** What children are evaluated with, and on which cases. */
export interface Evaluator {
  readonly context: RunContext;
  /** Those that they share. */
  readonly weights: Weights;
  readonly batches: readonly DeviceBatch[];
}

/** Scores by case name. */
type NamedScores = Readonly<Record<string, CaseScores>>;

/** What a child's evaluation at one step came to. */
export interface Evaluation {
  /** The validation patient-wise Dice, a fraction. */
  readonly reward: number;
  readonly scores: NamedScores;
  /** That this took; of a child that was proposed more than once, the first time. Left out where memory did not suffice. */
  readonly seconds?: number;
  /** Memory did not suffice to evaluate it: its reward is 0, and it is never chosen where another one was evaluated. */
  readonly outOfMemory?: true;
}

/** What can be evaluated. */
export interface Evaluable {
  readonly architecture: Architecture;
}

/** How evaluation is watched and stopped. */
export interface EvaluationHooks {
  /** Awaited after every pass: how many children are evaluated, of how many. */
  readonly between: (done: number, total: number) => Promise<void>;
  /** Awaited after every child, or every few that ranks evaluate at once. */
  readonly meet: () => Promise<void>;
  /** Whether the children that are left have to go without an evaluation. The first is evaluated whatever it says. */
  readonly mustStop: () => boolean;
}

/**
 * Phase two of a controller step: every child segments every validation case, by default in one shot (paper, section 2.3). Rewards are Dice at
 * the data set's spacing: bringing every prediction back to its scan's grid would only cost time, for children are compared with each other.
 * One that was proposed more than once is evaluated once. Ranks share the passes, and all know what came of them.
 */
export async function evaluateChildren<Child extends Evaluable>(
  evaluator: Evaluator,
  children: readonly Child[],
  { between, meet, mustStop }: EvaluationHooks,
): Promise<readonly (Child & Evaluation)[]> {
  const { batches, context } = evaluator;
  const atOnce = Math.max(1, Math.floor(context.team.size / batches.length));
  const different = children.filter((child, at) => !evaluatedTwin(children.slice(0, at), child));
  const known: (Evaluable & { readonly evaluation: Evaluation })[] = [];
  for (let first = 0; first < different.length; first += atOnce) {
    if (first > 0 && mustStop()) break;
    const architectures = different.slice(first, first + atOnce).map(({ architecture }) => architecture);
    const evaluations = await evaluateTogether(evaluator, architectures, () => between(first, different.length));
    known.push(...architectures.map((architecture, at) => ({ architecture, evaluation: evaluations[at] })));
    await meet();
  }
  return children.flatMap((child) => {
    const twin = evaluatedTwin(known, child);
    return twin ? [{ ...child, ...twin.evaluation }] : [];
  });
}

/** The one among evaluated children that has this architecture. */
export function evaluatedTwin<Child extends Evaluable>(
  evaluated: readonly Child[],
  { architecture }: Evaluable,
): Child | undefined {
  return evaluated.find((child) => isDeepStrictEqual(child.architecture, architecture));
}

/** How many architectures differ among these children. */
export function countDifferent(children: readonly Evaluable[]): number {
  return new Set(children.map(({ architecture }) => JSON.stringify(architecture))).size;
}

/** Networks on the validation cases, each pass by one of the ranks. */
async function evaluateTogether(
  evaluator: Evaluator,
  architectures: readonly Architecture[],
  between: () => Promise<void>,
): Promise<readonly Evaluation[]> {
  const { batches, context } = evaluator;
  const { team } = context;
  const own = new Set(
    team.share(architectures.flatMap((_, network) => batches.map((_, batch) => `${network} ${batch}`))),
  );
  const mine: PartialEvaluation[] = [];
  for (const [at, architecture] of architectures.entries()) {
    const part = { ...evaluator, batches: batches.filter((_, batch) => own.has(`${at} ${batch}`)) };
    mine.push(await evaluateWithinMemory(part, architecture, between));
  }
  const ofAll = team.gather(mine);
  const names = batches.flatMap(({ cases }) => cases.map(({ name }) => name));
  return architectures.map((_, at) =>
    joined(
      ofAll.map((parts) => parts[at]),
      names,
    ),
  );
}

/** What a rank found of a network, by the cases that it had; no scores where memory did not suffice. */
interface PartialEvaluation {
  readonly scores: NamedScores | null;
  readonly seconds: number;
}

async function evaluateWithinMemory(
  evaluator: Evaluator,
  architecture: Architecture,
  between: () => Promise<void>,
): Promise<PartialEvaluation> {
  const since = performance.now();
  const found = await whereMemorySuffices(evaluator.context.device, () => evaluate(evaluator, architecture, between));
  return { scores: found ?? null, seconds: (performance.now() - since) / 1000 };
}

/** What all ranks found of a network, its cases in this order. */
function joined(parts: readonly PartialEvaluation[], names: readonly string[]): Evaluation {
  if (parts.some(({ scores }) => scores === null)) return { reward: 0, scores: {}, outOfMemory: true };
  const found = Object.assign({}, ...parts.map(({ scores }) => scores));
  const scores: NamedScores = Object.fromEntries(names.map((name) => [name, found[name]]));
  // A child that finds nothing where nothing is left to be found has earned nothing.
  return {
    reward: patientMean(Object.values(scores)) ?? 0,
    scores,
    seconds: Math.max(...parts.map(({ seconds }) => seconds)),
  };
}

/**
 * Dice of each foreground class of each case, every volume predicted as `predict` does, by case name and label value; `null` where
 * neither prediction nor label has the class. It is that of the grid of the label. `between` is awaited after every pass, so that a search can be stopped there.
 */
export async function evaluate(
  { context, weights, batches }: Evaluator,
  architecture: Architecture,
  between: () => Promise<void>,
): Promise<NamedScores> {
  const scores: [string, CaseScores][] = [];
  const { inference } = context.recipe;
  const window = windowOf(inference, architecture);
  const network = networkOf(architecture, context.dimensions);
  const own = noGradient(() => networkWeights(network, weights, dataTypeOf[context.precision]));
  try {
    for (const { image, label, cases, downsampling, thickAxis } of batches) {
      const tile = window && downsampledShape(window, downsampling ?? [1, 1, 1]);
      noGradient(() =>
        scope(() => {
          const predictions = segment(network, own, image, { size: label.shape.slice(1), tile, inference, thickAxis });
          cases.forEach(({ name, outsideCrop }, index) => {
            const [prediction, reference] = [predictions, label].map((all) => narrow(all, 0, index, 1));
            scores.push([name, compare(prediction, reference, context, outsideCrop)]);
          });
        }),
      );
      await between();
    }
  } finally {
    freeNetworkWeights(own, weights);
  }
  return Object.fromEntries(scores);
}

/** As {@link evaluate}, one case on the scan's own grid. */
export async function evaluateOnOwnGrid(
  { context, weights }: Omit<Evaluator, 'batches'>,
  architecture: Architecture,
  prepared: PreparedCase,
  between: () => Promise<void>,
): Promise<NamedScores> {
  const batches = [await toOwnGridBatch(context, prepared)];
  try {
    return await evaluate({ context, weights, batches }, architecture, between);
  } finally {
    freeBatches(batches);
  }
}

/** Dice of what is scored, of a prediction and a label in class indices. */
function compare(
  prediction: Tensor,
  label: Tensor,
  { labelValues, scored, ignoredValue }: RunContext,
  outsideCrop: readonly number[],
): CaseScores {
  const all = labelValues.length;
  // Where nothing is scored, both are made background, which has no Dice.
  const kept = ignoredValue !== undefined ? to(notEqualScalar(label, IGNORED_CLASS), { dataType: 'uint8' }) : undefined;
  const [predictions, labels] = [prediction, label].map((one) => (kept ? multiply(one, kept) : one));
  const counts = confusionMatrix(predictions, labels, all).toNumbers();
  const indices = Array.from({ length: all }, (_, index) => index);
  const voxels = (labelled: readonly number[], predicted: readonly number[]): number =>
    sum(labelled.flatMap((row) => predicted.map((column) => counts[row * all + column])));
  const entries = scored.map(({ name, classes }) => {
    const outside = sum(classes.map((index) => outsideCrop[index]));
    const reference = voxels(classes, indices) + outside;
    const overlap = { predicted: voxels(indices, classes), reference, both: voxels(classes, classes) };
    return [name, diceOfOverlap(overlap)];
  });
  return Object.fromEntries(entries);
}
