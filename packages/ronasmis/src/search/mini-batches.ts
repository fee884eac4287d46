import type { Architecture, ChildArchitecture } from '../architecture/architecture.ts';
import type { Random } from '../base/random.ts';
import { sum } from '../base/statistics.ts';
import type { BatchPlan } from '../batches/fill-batch.ts';
import { samplePlan } from '../batches/sample.ts';
import { sampleIndex } from '../controller/draw.ts';
import type { Network } from '../network/network.ts';
import { networkOf } from '../network/of-architecture.ts';
import type { Downsampling } from '../preparation/downsampling.ts';
import type { SearchSpace } from '../space/space.ts';
import type { MiniBatch } from '../training/train.ts';
import { batchShape } from './batch-shape.ts';
import { outlookOf } from './clock.ts';
import type { RunContext } from './context.ts';
import type { SearchRun, TrainingRun } from './run.ts';

/**
 * Mini-batches without end of a search's first phase: every epoch has the training cases in a new order, each of them a mini-batch with a
 * child of its own, which the controller draws, on a patch of its own.
 */
export function* sharedMiniBatches(
  { context, state, clock }: Pick<SearchRun, 'context' | 'state' | 'clock'>,
  downsampling: Downsampling | undefined,
): Generator<MiniBatch, never> {
  const { controller, random } = state;
  const { patch_lead, patch_share } = context.recipe.space;
  for (;;) {
    const order = shuffledCases(context, random);
    const outlook = outlookOf(clock);
    const children = controller.proposeForTraining(order.length, random, outlook);
    for (const [index, choices] of children.entries()) {
      const child = context.space.decode(choices);
      const architecture =
        patch_lead !== null && outlook.done < patch_share
          ? withDrawnPatch(context.space, child, patch_lead / (1 - outlook.done / patch_share), random)
          : child;
      const plan = patchesOf(context, random, { architecture, chosen: order[index], downsampling });
      yield { network: networkOf(architecture, context.dimensions), plan };
    }
  }
}

/**
 * A child as it is trained once: on a patch that is drawn among those of its space, first its depth, then its plane.
 * @param lead by how many logits the child's own depth, and the largest plane, lead
 */
export function withDrawnPatch(
  space: SearchSpace,
  child: ChildArchitecture,
  lead: number,
  random: Random,
): ChildArchitecture {
  const patches = space.patchesOf?.(child) ?? [child.patch];
  const depths = patches.map((patch) => patch.depth);
  const depth = drawLed(depths, { leader: child.patch.depth, lead }, random);
  const planes = patches.filter((patch) => patch.depth === depth);
  const largest = planes.reduce((one, other) => (other.height * other.width > one.height * one.width ? other : one));
  return { ...child, patch: drawLed(planes, { leader: largest, lead }, random) };
}

/** One of different values, of which one leads the others. */
function drawLed<Value>(
  values: readonly Value[],
  { leader, lead }: { readonly leader: Value; readonly lead: number },
  random: Random,
): Value {
  const different = [...new Set(values)];
  if (different.length === 1) return different[0];
  const weights = different.map((value) => (value === leader ? 1 : Math.exp(-lead)));
  const total = sum(weights);
  return different[
    sampleIndex(
      weights.map((weight) => weight / total),
      random,
    )
  ];
}

/** What of a run the mini-batches of one network are made of. */
type OneNetwork = Pick<TrainingRun, 'context' | 'state' | 'architecture'>;

/** The same of one network. */
export function ownMiniBatches(run: OneNetwork, downsampling: Downsampling | undefined): Generator<MiniBatch, never> {
  const network = networkOf(run.architecture, run.context.dimensions);
  return networkMiniBatches(run, () => network, downsampling);
}

/** The same of networks that are all trained on the patches of one architecture. */
export function* networkMiniBatches(
  { context, state, architecture }: OneNetwork,
  networkFor: () => Network,
  downsampling: Downsampling | undefined,
): Generator<MiniBatch, never> {
  for (;;) {
    for (const chosen of shuffledCases(context, state.random)) {
      yield { network: networkFor(), plan: patchesOf(context, state.random, { architecture, chosen, downsampling }) };
    }
  }
}

/** Three epochs of the training cases, each in an order of its own, as indices into the run's cases. */
function shuffledCases(context: RunContext, random: Random): readonly number[] {
  const indices = trainingCases(context);
  return Array.from({ length: context.recipe.search.training_epochs }, () => random.shuffle(indices)).flat();
}

const trainingCases = ({ cases, split }: RunContext): readonly number[] =>
  split.training.map((name) => cases.findIndex((prepared) => prepared.name === name));

/** Of each patch of a mini-batch: the case `chosen`, or where the recipe says so any that is trained on. */
function casesOfPatches(context: RunContext, random: Random, patches: number, chosen: number): readonly number[] {
  if (context.recipe.training.batch_cases === 'one') return Array.from({ length: patches }, () => chosen);
  const training = trainingCases(context);
  return Array.from({ length: patches }, () => training[random.integer(training.length)]);
}

/** Patches for a network. */
function patchesOf(
  context: RunContext,
  random: Random,
  drawn: {
    readonly architecture: Architecture;
    readonly chosen: number;
    readonly downsampling: Downsampling | undefined;
  },
): BatchPlan {
  const { cases, augment, recipe } = context;
  const { architecture, chosen, downsampling } = drawn;
  const { patch, patches } = batchShape(context, architecture);
  const ofPatches = casesOfPatches(context, random, patches, chosen);
  return samplePlan(random, cases, ofPatches, { patch, augment, downsampling, recipe });
}
