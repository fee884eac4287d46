import { setImmediate } from 'node:timers/promises';
import { limitTensorBytes, peakMemoryBytes } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { openBatches } from '../batches/batches.ts';
import type { Choices, Learnt } from '../controller/controller.ts';
import type { SearchEvent } from '../run/event.ts';
import { openHeartbeat } from '../run/heartbeat.ts';
import type { Progress } from '../run/progress.ts';
import type { SearchReport } from '../run/report.ts';
import { appendEvent } from '../run/run-folder.ts';
import type { RunRecord } from '../run/run-record.ts';
import {
  type Budget,
  childrenPerStep,
  enterFullResolution,
  hasTimeForStep,
  isCoarse,
  isLastStep,
  mustStopJudging,
  outlookOf,
  type StepProgress,
  secondsLeft,
} from './budget.ts';
import type { SearchContext } from './context.ts';
import { caseNamed, freeBatches, type JudgedChild, judgeChildren, judgedTwin, toDeviceBatches } from './judging.ts';
import { type OwnParts, type SearchOptions, withDefaults } from './options.ts';
import { finish, type Tell } from './result.ts';
import { type MemoryUse, openSearch, reopenSearch, resultOf, type SearchRun } from './setup.ts';
import { type SearchState, saveState } from './state.ts';
import { trainSharedWeights } from './training.ts';

export type { OwnParts, SearchOptions } from './options.ts';

/** How a search is watched and stopped. */
export interface SearchHooks {
  /** Stops the search after the running training step, with an AbortError; `resume` goes on from the last finished step. */
  readonly signal?: AbortSignal;
  /** Told while scans are read, and after each training step and each judged child. */
  readonly onProgress?: (progress: Progress) => void;
  /** Told once, when all checks have passed: what the search computes on, and what is odd, in sentences. */
  readonly onStart?: (start: {
    readonly engine: RunRecord['engine'];
    readonly memory: MemoryUse;
    readonly warnings: readonly string[];
  }) => void;
  /** Told, in sentences, what went wrong on the way without ending the search. */
  readonly onWarning?: (sentence: string) => void;
}

/** What a search leaves. */
export interface SearchResult {
  readonly report: SearchReport;
  readonly architecture: Architecture;
}

/**
 * Searches an architecture for a data set while it trains the weights that all candidates share, and leaves the best
 * candidate in the run folder, ready to use.
 *
 * @throws UserError, before any long work, for what is wrong with the data set, the options or the run folder
 */
export async function search(options: SearchOptions, hooks: SearchHooks = {}): Promise<SearchResult> {
  return withinMemory(async () => runAlone(await openSearch(withDefaults(options), hooks), hooks));
}

/**
 * Goes on with a search that was stopped or killed, from its last finished controller step, with the run folder's settings.
 * A finished search is not repeated.
 *
 * @param own the controller and the space that the search was given, where they are not ours
 * @throws UserError where the folder holds no run, another process works on it, or its data set has changed
 */
export async function resume(runFolder: string, hooks: SearchHooks = {}, own: OwnParts = {}): Promise<SearchResult> {
  return withinMemory(async () => {
    const result = await resultOf(runFolder);
    return result ?? runAlone(await reopenSearch(runFolder, hooks, own), hooks);
  });
}

/** Runs a search; what it limits the process's tensors to does not outlast it. */
async function withinMemory<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } finally {
    limitTensorBytes(Number.POSITIVE_INFINITY);
  }
}

/** Runs a search, whose folder says how far it is, and lets other processes into it at the end. */
async function runAlone(searchRun: SearchRun, hooks: SearchHooks): Promise<SearchResult> {
  const heartbeat = openHeartbeat(searchRun.folder);
  const onProgress = (progress: Progress): void => {
    heartbeat.beat(progress);
    hooks.onProgress?.(progress);
  };
  try {
    return await run(searchRun, { ...hooks, onProgress });
  } finally {
    await heartbeat.stop();
    await searchRun.release();
  }
}

/**
 * The search of the paper (section 2.3; ENAS): train the shared weights for three epochs, each mini-batch on a child that
 * the controller proposes; judge 20 children by their patient-wise Dice on the validation cases; let the controller learn which
 * were better; and so on until the budget is used up. The best child, with the weights as they are, is the result.
 */
async function run(searchRun: SearchRun, hooks: SearchHooks): Promise<SearchResult> {
  const { context, state, budget, folder } = searchRun;
  const { space } = context;
  const { controller, averaged } = state;
  const batches = openBatches(context.cases);
  let validation = openValidation(searchRun);
  const tell = narrator(hooks, state, budget);
  const judge = (children: readonly Architecture[], step: number): Promise<readonly JudgedChild[]> =>
    judgeChildren(context, averaged, children, validation.batches, {
      between: (done, total) => tell({ phase: 'judge', step, done, total }),
      mustStop: () => mustStopJudging(budget),
    });
  let proposed: readonly Choices[] = [];
  let judged: readonly JudgedChild[] = [];
  try {
    while (hasTimeForStep(budget, state.step)) {
      const step = state.step + 1;
      const { thinning } = validation;
      const coarse = thinning !== undefined;
      const trainingSince = budget.elapsed();
      const outlook = outlookOf(budget, state.step);
      proposed = controller.proposeForJudging(context.children, state.random, outlook);
      budget.distinctChildren = new Set(proposed.map(String)).size;
      const { loss, leftOut } = await trainSharedWeights(context, state, budget, batches, thinning, (done, total) =>
        tell({ phase: 'train', step, done, total }),
      );

      const judgingSince = budget.elapsed();
      const wanted = isLastStep(budget, state.step) ? proposed.length : childrenPerStep(budget);
      judged = await judge(proposed.slice(0, wanted).map(space.decode), step);
      const judgingSeconds = budget.elapsed() - judgingSince;
      budget.durations.judge = judgingSeconds / new Set(judged).size;

      const children = proposed.slice(0, judged.length);
      const rewards = judged.map(({ reward }) => reward);
      const learnt = controller.learn(children, rewards, outlook);

      state.step = step;
      state.seconds = budget.elapsed();
      if (coarse && !isCoarse(budget, step)) {
        freeBatches(validation.batches);
        validation = openValidation(searchRun);
      }
      const seconds = { training_seconds: judgingSince - trainingSince, judging_seconds: judgingSeconds };
      const outOfMemory = leftOut + judged.filter((child) => child.outOfMemory).length;
      if (outOfMemory > 0) hooks.onWarning?.(outOfMemorySentence(outOfMemory, step));
      const event = {
        ...eventOf(context, state, loss, learnt, judged),
        coarse,
        out_of_memory: outOfMemory,
        ...seconds,
      };
      await appendEvent(folder, event);
      await saveState(folder, state);
      const figures = { loss, entropy: learnt.entropy, reward: event.reward_mean, dice: event.reward_max, coarse };
      await tell({ phase: 'judge', step, done: judged.length, total: judged.length, ...figures });
    }
    const finalSince = budget.elapsed();
    // A search that was killed after its last step judges that step's children again: the weights are the same.
    if (judged.length === 0) judged = await judge(searchRun.lastChildren, state.step);
    // The last step has left some aside where it was not known to be the last.
    const unjudged = [...controller.finalists(), ...proposed]
      .map(space.decode)
      .filter((child) => !judgedTwin(judged, child));
    const finalists = await judge(unjudged, state.step);
    const best = [...judged, ...finalists].reduce((best, child) => (child.reward > best.reward ? child : best));
    return await finish(searchRun, best, finalSince, tell);
  } finally {
    await batches.close();
    freeBatches(validation.batches);
  }
}

/** The validation cases on the device, for the part of the search that begins here or goes on, and how it thins volumes, if it does. */
function openValidation({ context, state, budget }: SearchRun) {
  const coarse = isCoarse(budget, state.step);
  if (!coarse) enterFullResolution(budget);
  const thinning = coarse ? context.thinning : undefined;
  const cases = context.split.validation.map((name) => caseNamed(context, name));
  return { thinning, batches: toDeviceBatches(context, cases, thinning) };
}

function outOfMemorySentence(count: number, step: number): string {
  return (
    `Memory did not suffice for ${count} of the training steps and judgements of controller step ${step}, which were left out: ` +
    'give less --memory next time, so that smaller children are searched.'
  );
}

function eventOf(
  context: SearchContext,
  state: SearchState,
  loss: number,
  { entropy, baseline }: Learnt,
  judged: readonly JudgedChild[],
): Omit<SearchEvent, 'coarse' | 'training_seconds' | 'judging_seconds' | 'out_of_memory'> {
  const rewards = judged.map(({ reward }) => reward);
  return {
    step: state.step,
    seconds: state.seconds,
    reward_mean: rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length,
    reward_max: Math.max(...rewards),
    baseline,
    entropy,
    loss,
    steps: state.trainingSteps,
    peak_memory_bytes: peakMemoryBytes(context.device),
    children: judged.map(({ architecture, reward }) => ({ architecture, reward })),
  };
}

/** Tells the hooks how far the search is; gives other work a turn, and rejects where the search is to stop. */
function narrator(hooks: SearchHooks, state: SearchState, budget: Budget): Tell {
  /** What of the running step is done; between the steps, nothing. */
  const done = ({ phase, step, done }: Progress): StepProgress => {
    if (step <= state.step) return { trained: 0, judged: 0 };
    return phase === 'train' ? { trained: done, judged: 0 } : { trained: budget.trainingSteps, judged: done };
  };
  return async (progress) => {
    hooks.onProgress?.({ ...progress, secondsLeft: secondsLeft(budget, state.step, done(progress)) });
    await setImmediate();
    hooks.signal?.throwIfAborted();
  };
}
