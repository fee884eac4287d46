import type { Choices } from '../controller/controller.ts';
import { hasOneChild } from '../space/spaces.ts';
import { policyInWords } from '../space/words.ts';
import { isWarmUp, outlookOf } from './clock.ts';
import { countDifferent, type Evaluable, type Evaluation } from './evaluating.ts';
import { type SearchOptions, withDefaults } from './options.ts';
import { coarseThenFine, endStep, evaluatePhase, trainPhase } from './phases.ts';
import { sharedSteps } from './planned-steps.ts';
import type { SearchRun } from './run.ts';
import { openSearch } from './setup.ts';
import type { SearchHooks, SearchResult } from './watching.ts';
import { withOpenRun } from './with-open-run.ts';

export type { OwnParts, SearchOptions } from './options.ts';
export type { SearchHooks, SearchResult } from './watching.ts';

/**
 * Searches an architecture for a data set while it trains the weights that all candidates share, and leaves the best
 * candidate in the run folder, ready to use.
 *
 * @throws UserError, before any long work, for what is wrong with the data set, the options or the run folder
 */
export function search(options: SearchOptions, hooks: SearchHooks = {}): Promise<SearchResult> {
  return withOpenRun(() => openSearch(withDefaults(options), hooks), hooks, searchArchitecture);
}

/** A child of the search: what was chosen, and the network that it says. */
interface Child extends Evaluable {
  readonly choices: Choices;
  /** Whether it is the base child, which nobody has proposed: others are compared with it. */
  readonly isReference?: true;
}

/**
 * The search of the paper (section 2.3; ENAS, Pham et al. 2018). A controller step has two phases: the shared weights are trained for three
 * epochs, each mini-batch on a child that the controller draws; then some 20 children are proposed and evaluated by their patient-wise Dice
 * on the validation cases, and the controller learns which were better. So it goes on until the epochs or the time are used up. The best
 * child, with the weights as they are, is the result.
 */
export async function searchArchitecture(run: SearchRun): Promise<SearchResult> {
  const { context, state, clock } = run;
  const { controller, random } = state;
  const { space } = context;
  const childOf = (choices: Choices): Child => ({ choices, architecture: space.decode(choices) });
  const reference: Child | undefined = hasOneChild(space)
    ? undefined
    : { ...childOf(space.baseChoices), isReference: true };

  return coarseThenFine(run, async (stage) => {
    let proposed: readonly Child[] = [];
    let evaluated: readonly (Child & Evaluation)[] = [];
    while (stage.goesOn()) {
      const outlook = outlookOf(clock);
      // Before the training, so that the clock knows how many different ones the step is to leave time for.
      proposed = controller.proposeForEvaluation(context.children, random, outlook).map(childOf);
      // The first child is evaluated whatever happens; the reference comes next.
      const asked = reference ? [proposed[0], reference, ...proposed.slice(1)] : proposed;
      clock.different = countDifferent(asked);

      const training = await trainPhase(run, sharedSteps(run, stage.downsampling));
      const evaluation = await evaluatePhase(run, stage, asked);
      evaluated = evaluation.children;
      const children = evaluated.filter(({ isReference }) => !isReference);
      const drawn = children.map(({ choices }) => choices);
      const distribution = controller.distributionOf(drawn, outlook);
      const policy = policyInWords(space, distribution?.probabilities);
      const baseline = isWarmUp(clock, outlook) ? null : controller.learn(children, outlook);
      const base = evaluated.find(({ isReference }) => isReference)?.reward ?? null;
      const entropy = distribution?.entropy ?? null;
      await endStep(run, stage, { training, evaluation: { ...evaluation, children }, entropy, baseline, base, policy });
    }
    // What the last step has left aside, where it was not known to be the last, may still be the best.
    const finalists = context.recipe.search.finalists ? controller.finalists().map(childOf) : [];
    return { evaluated, others: [...finalists, ...proposed], ...(reference && { reference }) };
  });
}
