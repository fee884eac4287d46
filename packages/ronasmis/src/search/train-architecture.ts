import type { Architecture } from '../architecture/architecture.ts';
import type { Evaluable, Evaluation } from './evaluating.ts';
import type { PlanNetwork, TrainingOptions } from './options.ts';
import { coarseThenFine, endStep, evaluatePhase, trainPhase } from './phases.ts';
import { ownSteps } from './planned-steps.ts';
import type { TrainingRun } from './run.ts';
import { searchCells } from './search-cells.ts';
import { openTraining } from './setup.ts';
import type { SearchHooks, SearchResult } from './watching.ts';
import { withOpenRun } from './with-open-run.ts';

/**
 * Trains one network for a data set, found by a search or written by hand, and leaves it in a run folder as a search does. It is trained as
 * a search trains its children, and evaluated on the validation cases every three epochs, unless the recipe has these trained on too.
 *
 * @param trained the network, or what plans it once the scans are read
 * @throws UserError, before any long work, for what is wrong with the data set, the options or the run folder, or where the network does not
 * fit the data set
 */
export function trainArchitecture(
  trained: Architecture | PlanNetwork,
  options: TrainingOptions,
  hooks: SearchHooks = {},
): Promise<SearchResult> {
  return withOpenRun(() => openTraining(trained, options, hooks), hooks, trainAlone);
}

/** The training of one network, or of its cells where these are yet to be found: three epochs and an evaluation, again and again until the epochs or the time are used up. */
export async function trainAlone(run: TrainingRun): Promise<SearchResult> {
  if (run.architecture.kind === 'open_cells') return searchCells(run, run.architecture);
  const alone: readonly Evaluable[] = [{ architecture: run.architecture }];
  const isEvaluated = run.context.split.validation.length > 0;
  return coarseThenFine(run, async (stage) => {
    let evaluated: readonly (Evaluable & Evaluation)[] = [];
    while (stage.goesOn()) {
      const training = await trainPhase(run, ownSteps(run, stage.downsampling));
      const evaluation = await evaluatePhase(run, stage, isEvaluated ? alone : []);
      evaluated = evaluation.children;
      await endStep(run, stage, { training, evaluation, entropy: null, baseline: null });
    }
    return { evaluated, others: alone };
  });
}
