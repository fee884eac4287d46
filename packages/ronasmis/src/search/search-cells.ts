import type { OpenCellsUNet } from '../architecture/cells.ts';
import {
  drawnNetwork,
  entropyOfEdges,
  evenlyDrawnNetwork,
  type LogitsOf,
  likeliestCells,
  logitsName,
} from '../network/open-cells.ts';
import { weight } from '../network/weights.ts';
import type { Downsampling } from '../preparation/downsampling.ts';
import type { PlannedStep } from '../training/train.ts';
import { trainedFraction } from './clock.ts';
import type { Evaluable, Evaluation } from './evaluating.ts';
import { coarseThenFine, endStep, evaluatePhase, trainPhase } from './phases.ts';
import { networkSteps } from './planned-steps.ts';
import type { TrainingRun } from './run.ts';
import type { SearchResult } from './watching.ts';

/**
 * The search of SCNAS, after Kim et al. 2019: in each training step an operation is drawn on each edge of the four cells, and the step's
 * gradients move the weights of what was drawn and, by gates, the logits that it was drawn by: structure and weights are learnt together,
 * and never more than one operation an edge is in memory. At first the weights alone learn, of whatever is drawn: else what has no weights would lead
 * before others have learnt anything. In the end the cells are the likeliest.
 */
export async function searchCells(run: TrainingRun, open: OpenCellsUNet): Promise<SearchResult> {
  const { context, state } = run;
  const logitsOf: LogitsOf = (edge) => weight(state.trainer.weights, logitsName(edge)).toNumbers();
  const found = (): readonly Evaluable[] => [
    { architecture: { ...open, kind: 'cells', cells: likeliestCells(logitsOf) } },
  ];
  return coarseThenFine(run, async (stage) => {
    let evaluated: readonly (Evaluable & Evaluation)[] = [];
    while (stage.goesOn()) {
      const training = await trainPhase(run, drawnSteps(run, open, logitsOf, stage.downsampling));
      const evaluation = await evaluatePhase(run, stage, context.split.validation.length > 0 ? found() : []);
      evaluated = evaluation.children;
      const entropy = entropyOfEdges(logitsOf, context.recipe.cells);
      await endStep(run, stage, { training, evaluation, entropy, baseline: null });
    }
    return { evaluated, others: found() };
  });
}

/** Training steps without end, each of a network that is drawn for it. */
function drawnSteps(
  run: TrainingRun,
  open: OpenCellsUNet,
  logitsOf: LogitsOf,
  downsampling: Downsampling | undefined,
): Generator<PlannedStep, never> {
  const { context, state, clock } = run;
  const { sharpness, temperature, warm_up_share } = context.recipe.cells;
  const [first, last] = temperature;
  const drawn = () => {
    const fraction = trainedFraction(clock);
    if (fraction < warm_up_share) return evenlyDrawnNetwork(open, context.dimensions, state.random);
    const relaxation = { sharpness, temperature: first + (last - first) * fraction };
    return drawnNetwork(open, context.dimensions, { logitsOf, random: state.random, relaxation });
  };
  return networkSteps(run, drawn, downsampling);
}
