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
import type { PlannedStep } from '../training/train.ts';
import { batchShape } from './batch-shape.ts';
import { outlookOf } from './clock.ts';
import type { RunContext } from './context.ts';
import type { SearchRun, TrainingRun } from './run.ts';

/**
 * Training steps without end of a search's first phase: every epoch has the training cases in a new order, each of them a mini-batch. Each step
 * has a child of its own, which the controller draws, on a patch of its own.
 */
export function* sharedSteps(
  { context, state, clock, augmenting }: Pick<SearchRun, 'context' | 'state' | 'clock' | 'augmenting'>,
  downsampling: Downsampling | undefined,
): Generator<PlannedStep, never> {
  const { controller, random } = state;
  const training = trainingCases(context);
  const { patch_lead, patch_share } = context.recipe.space;
  for (;;) {
    const steps = stepsOf(shuffled(training, context, random), context);
    const outlook = outlookOf(clock);
    const children = controller.proposeForTraining(steps.length, random, outlook);
    for (const [index, choices] of children.entries()) {
      const child = context.space.decode(choices);
      const architecture =
        patch_lead !== null && outlook.done < patch_share
          ? withDrawnPatch(context.space, child, patch_lead / (1 - outlook.done / patch_share), random)
          : child;
      const drawn = { architecture, training, downsampling, augment: augmenting.isOn };
      const plans = steps[index].map((chosen) => patchesOf(context, random, { ...drawn, chosen }));
      yield { network: networkOf(architecture, context.dimensions), plans };
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

/** What of a run the training steps of one network are made of. */
type OneNetwork = Pick<TrainingRun, 'context' | 'state' | 'augmenting' | 'architecture'>;

/** The same of one network. */
export function ownSteps(run: OneNetwork, downsampling: Downsampling | undefined): Generator<PlannedStep, never> {
  const network = networkOf(run.architecture, run.context.dimensions);
  return networkSteps(run, () => network, downsampling);
}

/** The same of networks that are all trained on the patches of one architecture. */
export function* networkSteps(
  { context, state, augmenting, architecture }: OneNetwork,
  networkFor: () => Network,
  downsampling: Downsampling | undefined,
): Generator<PlannedStep, never> {
  const { random } = state;
  const training = trainingCases(context);
  for (;;) {
    for (const cases of stepsOf(shuffled(training, context, random), context)) {
      const network = networkFor();
      const drawn = { architecture, training, downsampling, augment: augmenting.isOn };
      yield { network, plans: cases.map((chosen) => patchesOf(context, random, { ...drawn, chosen })) };
    }
  }
}

/** Three epochs of the training cases, each in an order of its own. */
function shuffled(training: readonly number[], { recipe }: RunContext, random: Random): readonly number[] {
  return Array.from({ length: recipe.search.training_epochs }, () => random.shuffle(training)).flat();
}

/** The cases of each training step; the last one may have fewer. */
function stepsOf(order: readonly number[], { recipe }: RunContext): readonly (readonly number[])[] {
  const each = recipe.training.mini_batches ?? 1;
  const count = Math.ceil(order.length / each);
  return Array.from({ length: count }, (_, at) => order.slice(at * each, (at + 1) * each));
}

/** Indices into the run's cases. */
const trainingCases = ({ cases, split }: RunContext): readonly number[] =>
  split.training.map((name) => cases.findIndex((prepared) => prepared.name === name));

/** Patches for a network. */
function patchesOf(
  context: RunContext,
  random: Random,
  drawn: {
    readonly architecture: Architecture;
    readonly training: readonly number[];
    /** The case that the patches are of, unless the recipe has each of any that is trained on. */
    readonly chosen: number;
    readonly downsampling: Downsampling | undefined;
    readonly augment: boolean;
  },
): BatchPlan {
  const { cases, recipe } = context;
  const { architecture, training, chosen, downsampling, augment } = drawn;
  const { patch, patches } = batchShape(context, architecture);
  const isOfAny = recipe.training.batch_cases === 'any';
  const ofPatches = Array.from({ length: patches }, () =>
    isOfAny ? training[random.integer(training.length)] : chosen,
  );
  return samplePlan(random, cases, ofPatches, { patch, augment, downsampling, recipe });
}
