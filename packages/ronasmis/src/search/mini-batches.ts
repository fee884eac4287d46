import type { Architecture } from '../architecture/architecture.ts';
import type { Random } from '../base/random.ts';
import { samplePlan } from '../batches/sample.ts';
import { childNetwork } from '../network/child.ts';
import type { Thinning } from '../preparation/thinning.ts';
import type { MiniBatch } from '../training/train.ts';
import { batchShape } from './batch-shape.ts';
import { outlookOf } from './clock.ts';
import type { RunContext } from './context.ts';
import type { SearchRun, TrainingRun } from './run.ts';

/**
 * Mini-batches without end of a search's first phase: every epoch has the training cases in a new order, each of them a mini-batch with a
 * child of its own, which the controller draws.
 */
export function* sharedMiniBatches(
  { context, state, clock }: Pick<SearchRun, 'context' | 'state' | 'clock'>,
  thinning: Thinning | undefined,
): Generator<MiniBatch, never> {
  const { controller, random } = state;
  for (;;) {
    const order = shuffledCases(context, random);
    const children = controller.proposeForTraining(order.length, random, outlookOf(clock));
    for (const [index, choices] of children.entries()) {
      yield miniBatch(context, random, { architecture: context.space.decode(choices), chosen: order[index], thinning });
    }
  }
}

/** The same of one network. */
export function* ownMiniBatches(
  { context, state, architecture }: TrainingRun,
  thinning: Thinning | undefined,
): Generator<MiniBatch, never> {
  for (;;) {
    for (const chosen of shuffledCases(context, state.random)) {
      yield miniBatch(context, state.random, { architecture, chosen, thinning });
    }
  }
}

/** Three epochs of the training cases, each in an order of its own, as indices into the run's cases. */
function shuffledCases({ cases, split, recipe }: RunContext, random: Random): readonly number[] {
  const indices = split.training.map((name) => cases.findIndex((prepared) => prepared.name === name));
  return Array.from({ length: recipe.search.training_epochs }, () => random.shuffle(indices)).flat();
}

/** Patches of the case `chosen` for a network. */
function miniBatch(
  context: RunContext,
  random: Random,
  drawn: { readonly architecture: Architecture; readonly chosen: number; readonly thinning: Thinning | undefined },
): MiniBatch {
  const { cases, augment, dimensions, recipe } = context;
  const { architecture, chosen, thinning } = drawn;
  const { patch, patches } = batchShape(context, architecture);
  const crops = Array.from({ length: patches }, () => chosen);
  const plan = samplePlan(random, cases, crops, { patch, augment, thinning, recipe });
  return { network: childNetwork(architecture, dimensions), plan };
}
