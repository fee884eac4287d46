import { isDeepStrictEqual } from 'node:util';
import { narrow, noGradient, scope } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { dataTypeOf } from '../engine/device.ts';
import { type CaseScores, patientMean } from '../evaluation/summary.ts';
import { segment } from '../inference/segment.ts';
import { windowOf } from '../inference/tiles.ts';
import { networkOf } from '../network/of-architecture.ts';
import { freeNetworkWeights, networkWeights, type Weights } from '../network/weights.ts';
import { downsampledShape } from '../preparation/downsampling.ts';
import type { PreparedCase } from '../preparation/prepare.ts';
import { whereMemorySuffices } from '../training/out-of-memory.ts';
import { type ClassCounts, classesToClean, countClasses, scoresOf } from './class-counts.ts';
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
  /** Class indices whose small components were removed, for these cases are no worse so. */
  readonly cleaned: readonly number[];
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
  /** Whether the children that are left have to go without an evaluation. The first is evaluated whatever it says. */
  readonly mustStop: () => boolean;
}

/**
 * Phase two of a controller step: every child segments every validation case, by default in one shot (paper, section 2.3). Rewards are Dice at
 * the data set's spacing: bringing every prediction back to its scan's grid would only cost time, for children are compared with each other.
 * One that was proposed more than once is evaluated once.
 */
export async function evaluateChildren<Child extends Evaluable>(
  evaluator: Evaluator,
  children: readonly Child[],
  { between, mustStop }: EvaluationHooks,
): Promise<readonly (Child & Evaluation)[]> {
  const evaluated: (Child & Evaluation)[] = [];
  for (const child of children) {
    if (evaluated.length > 0 && mustStop()) break;
    const { reward, scores, cleaned, seconds, outOfMemory } =
      evaluatedTwin(evaluated, child) ??
      (await evaluateWithinMemory(evaluator, child.architecture, () => between(evaluated.length, children.length)));
    const took = seconds !== undefined && { seconds };
    evaluated.push({ ...child, reward, scores, cleaned, ...took, ...(outOfMemory && { outOfMemory }) });
  }
  return evaluated;
}

/** The one among evaluated children that has this architecture. */
export function evaluatedTwin<Child extends Evaluable>(
  evaluated: readonly Child[],
  { architecture }: Evaluable,
): Child | undefined {
  return evaluated.find((child) => isDeepStrictEqual(child.architecture, architecture));
}

/** The child with the largest reward, the first of equals. Throws where there is none. */
export function bestOf<Child extends Pick<Evaluation, 'reward'>>(children: readonly Child[]): Child {
  return children.reduce((best, child) => (child.reward > best.reward ? child : best));
}

/** How many architectures differ among these children. */
export function countDifferent(children: readonly Evaluable[]): number {
  return new Set(children.map(({ architecture }) => JSON.stringify(architecture))).size;
}

async function evaluateWithinMemory(
  evaluator: Evaluator,
  architecture: Architecture,
  between: () => Promise<void>,
): Promise<Evaluation> {
  const since = performance.now();
  const found = await whereMemorySuffices(evaluator.context.device, () => evaluate(evaluator, architecture, between));
  if (found === undefined) return { reward: 0, scores: {}, cleaned: [], outOfMemory: true };
  // A child that finds nothing where nothing is left to be found has earned nothing.
  const seconds = (performance.now() - since) / 1000;
  return { reward: patientMean(Object.values(found.scores)) ?? 0, ...found, seconds };
}

/** Dice of cases by name, and the classes that were cleaned of small components for them. */
export type Scores = Pick<Evaluation, 'scores' | 'cleaned'>;

/**
 * Dice of each foreground class of each case, every volume predicted as `predict` does, by case name and label value; `null` where
 * neither prediction nor label has the class. It is that of the grid of the label. `between` is awaited after every pass, so that a search can be stopped there.
 * @param cleaned class indices whose small components are removed; where it is left out, as {@link classesToClean}, if the recipe has it
 */
export async function evaluate(
  { context, weights, batches }: Evaluator,
  architecture: Architecture,
  between: () => Promise<void>,
  cleaned?: readonly number[],
): Promise<Scores> {
  const counted: [string, ClassCounts][] = [];
  const { inference } = context.recipe;
  const components = cleaned ? cleaned.length > 0 : inference.removes_small_components;
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
            counted.push([name, countClasses(prediction, reference, context, { outsideCrop, components })]);
          });
        }),
      );
      await between();
    }
  } finally {
    freeNetworkWeights(own, weights);
  }
  const counts = counted.map(([, ofCase]) => ofCase);
  const chosen = cleaned ?? (components ? classesToClean(counts, context) : []);
  return {
    scores: Object.fromEntries(counted.map(([name, ofCase]) => [name, scoresOf(ofCase, context, chosen)])),
    cleaned: chosen,
  };
}

/** As {@link evaluate}, one case on the scan's own grid, with what was chosen on others. */
export async function evaluateOnOwnGrid(
  { context, weights }: Omit<Evaluator, 'batches'>,
  { architecture, cleaned }: Evaluable & Pick<Evaluation, 'cleaned'>,
  prepared: PreparedCase,
  between: () => Promise<void>,
): Promise<NamedScores> {
  const batches = [await toOwnGridBatch(context, prepared)];
  try {
    return (await evaluate({ context, weights, batches }, architecture, between, cleaned)).scores;
  } finally {
    freeBatches(batches);
  }
}
