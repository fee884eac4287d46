import { peakMemoryBytes } from '@ronasmis/libtorch';
import { mean } from '../base/statistics.ts';
import type { Downsampling } from '../preparation/downsampling.ts';
import type { SearchEvent } from '../run/event.ts';
import { appendEvent } from '../run/run-folder.ts';
import { type PlannedStep, type Trained, train } from '../training/train.ts';
import { followCurve } from './augmenting.ts';
import {
  childrenPerStep,
  enterFullResolution,
  hasTimeForStep,
  hasTrainedEnough,
  isCoarse,
  isLastStep,
  mustStopEvaluating,
  scheduledFraction,
} from './clock.ts';
import { caseNamed } from './context.ts';
import { freeBatches, toDeviceBatches } from './device-batches.ts';
import {
  bestOf,
  countDifferent,
  type Evaluable,
  type Evaluation,
  type Evaluator,
  evaluateChildren,
} from './evaluating.ts';
import { keepCoarse, mayJoin } from './joining.ts';
import { type Candidates, finish } from './result.ts';
import type { Run } from './run.ts';
import { saveState } from './state.ts';
import type { SearchResult } from './watching.ts';

/** A stage of a run: at half the resolution, or at the full one. */
export interface Stage {
  readonly evaluator: Evaluator;
  /** Of patches and of volumes; undefined at full resolution. */
  readonly downsampling: Downsampling | undefined;
  /** Whether another controller step of it is to be begun. */
  goesOn(): boolean;
}

/**
 * Runs the loop of controller steps at half the resolution, where patches are large enough and time suffices, then at the full one, and
 * ends with the best of its candidates.
 */
export async function coarseThenFine(run: Run, loop: (stage: Stage) => Promise<Candidates>): Promise<SearchResult> {
  const { context, clock } = run;
  let before: readonly Evaluable[] = run.lastChildren;
  if (isCoarse(clock)) {
    const { evaluated } = await withEvaluator(run, context.downsampling, (evaluator) =>
      loop({ evaluator, downsampling: context.downsampling, goesOn: () => isCoarse(clock) && hasTimeForStep(clock) }),
    );
    before = evaluated;
  }
  enterFullResolution(clock);
  return withEvaluator(run, undefined, async (evaluator) => {
    const candidates = await loop({
      evaluator,
      downsampling: undefined,
      goesOn: () => hasTimeForStep(clock),
    });
    // A run that was killed after its last step evaluates that step's children again: the weights are the same.
    const { evaluated, others } = candidates;
    return finish(run, evaluator, { ...candidates, others: evaluated.length > 0 ? others : [...before, ...others] });
  });
}

/** Has the validation cases on the device while `work` goes on. */
async function withEvaluator<Result>(
  { context, state }: Run,
  downsampling: Downsampling | undefined,
  work: (evaluator: Evaluator) => Promise<Result>,
): Promise<Result> {
  const cases = context.split.validation.map((name) => caseNamed(context, name));
  const batches = toDeviceBatches(context, cases, downsampling);
  try {
    return await work({ context, weights: state.trainer.averaged, batches });
  } finally {
    freeBatches(batches);
  }
}

/** What the first phase of a controller step came to. */
export interface TrainingPhase extends Trained {
  readonly seconds: number;
}

/** Phase one of a controller step: three epochs of these training steps. The last step of a time budget trains until its time is over. */
export async function trainPhase(run: Run, steps: Iterator<PlannedStep, never>): Promise<TrainingPhase> {
  const { context, state, clock, batches, watch, meet } = run;
  const { trainer, random } = state;
  const { team } = context;
  const since = clock.elapsed();
  const step = clock.step + 1;
  const planned = clock.trainingSteps;
  const trained = await train(
    trainer,
    { steps, batches, random, team },
    {
      planned,
      isEnough: (done) => hasTrainedEnough(clock, done),
      fraction: (done) => scheduledFraction(clock, done),
      after: async (done) => {
        await watch.tell({ phase: 'train', step, done, total: Math.max(done, planned) });
        await meet();
      },
    },
  );
  clock.durations.train = team.fromFirst(() => trained.secondsPerStep);
  return { ...trained, seconds: clock.elapsed() - since };
}

/** What the second phase of a controller step came to. */
export interface EvaluationPhase<Child> {
  readonly children: readonly (Child & Evaluation)[];
  readonly seconds: number;
}

/** Phase two of a controller step: as many of its children are evaluated as there is time for; nothing where there are none. */
export async function evaluatePhase<Child extends Evaluable>(
  run: Run,
  { evaluator }: Stage,
  children: readonly Child[],
): Promise<EvaluationPhase<Child>> {
  const { clock, watch, meet } = run;
  if (children.length === 0) return { children: [], seconds: 0 };
  const since = clock.elapsed();
  const step = clock.step + 1;
  const wanted = isLastStep(clock) ? children.length : childrenPerStep(clock);
  const evaluated = await evaluateChildren(evaluator, children.slice(0, wanted), {
    between: (done, total) => watch.tell({ phase: 'evaluate', step, done, total }),
    meet,
    mustStop: () => mustStopEvaluating(clock),
  });
  const seconds = clock.elapsed() - since;
  clock.durations.evaluate = seconds / countDifferent(evaluated);
  return { children: evaluated, seconds };
}

/** What a controller step came to. */
export interface StepOutcome {
  readonly training: TrainingPhase;
  readonly evaluation: EvaluationPhase<Evaluable>;
  readonly entropy: number | null;
  readonly baseline: number | null;
  /** Reward of the base child with the weights that all share; none where nothing is chosen. */
  readonly base?: number | null;
  /** How likely each option of each choice was; none where the controller has no distribution. */
  readonly policy?: SearchEvent['policy'];
}

/** Ends a controller step: it is written into the run folder, from where a stopped run goes on, and told. */
export async function endStep(run: Run, stage: Stage, outcome: StepOutcome): Promise<void> {
  const { context, state, clock, augmenting, folder, watch } = run;
  const { training, evaluation, entropy, baseline, base = null } = outcome;
  const { children } = evaluation;
  const [loss, coarse] = [training.loss, stage.downsampling !== undefined];
  const rewards = children.map(({ reward }) => reward);
  const [average, best] = rewards.length === 0 ? [null, null] : [mean(rewards), Math.max(...rewards)];
  const outOfMemory = training.leftOut + children.filter((child) => child.outOfMemory).length;
  clock.step += 1;
  if (coarse && !isCoarse(clock)) {
    enterFullResolution(clock);
    if (run.architecture === undefined && mayJoin(run.context))
      state.coarse = keepCoarse(context, state.trainer.averaged, children);
  }
  const { step } = clock;
  const seconds = clock.elapsed();
  if (outOfMemory > 0) watch.warn(outOfMemorySentence(outOfMemory, step));
  const event: SearchEvent = {
    step,
    seconds,
    reward_mean: average,
    reward_max: best,
    reward_base: base,
    baseline,
    entropy,
    loss,
    steps: state.trainer.steps,
    peak_memory_bytes: peakMemoryBytes(context.device),
    coarse,
    augmented: augmenting.isOn,
    out_of_memory: outOfMemory,
    training_seconds: training.seconds,
    evaluation_seconds: evaluation.seconds,
    ...childrenOf(run, children),
    ...(outcome.policy && { policy: outcome.policy }),
  };
  if (context.team.isFirst) await appendEvent(folder, event);
  followCurve(augmenting, event, context.recipe.augmentation);
  if (context.team.isFirst) await saveState(folder, state, { step, seconds });
  const counts = { done: rewards.length, total: rewards.length };
  const found = {
    ...(average !== null && { reward: average }),
    ...(best !== null && { dice: best }),
    ...(base !== null && { baseDice: base }),
  };
  await watch.tell({ phase: 'evaluate', step, ...counts, loss, entropy, ...found, coarse });
}

/** What an event says of the children of its step. */
function childrenOf(
  { plan }: Run,
  children: StepOutcome['evaluation']['children'],
): Pick<SearchEvent, 'children' | 'best_scores'> {
  if (children.length === 0) return { children: [] };
  const best = bestOf(children);
  // A controller that makes up its mind proposes the same child again and again, and each takes milliseconds to count.
  const counted = new Map<string, number>();
  const bytesOf = (architecture: Evaluable['architecture']): number => {
    const key = JSON.stringify(architecture);
    const bytes = counted.get(key) ?? Math.round(plan.bytesFor(architecture));
    counted.set(key, bytes);
    return bytes;
  };
  return {
    children: children.map(({ architecture, reward, seconds }) => ({
      architecture,
      reward,
      ...(seconds !== undefined && { seconds }),
      memory_bytes: bytesOf(architecture),
    })),
    best_scores: best.scores,
  };
}

function outOfMemorySentence(count: number, step: number): string {
  return (
    `Memory did not suffice for ${count} of the training steps and evaluations of controller step ${step}, which were left out: ` +
    'give less --memory next time, so that smaller children are searched.'
  );
}
