import { setImmediate } from 'node:timers/promises';
import type { Architecture } from '../architecture/architecture.ts';
import type { Team } from '../ranks/team.ts';
import type { Progress } from '../run/progress.ts';
import type { SearchReport } from '../run/report.ts';
import type { RunRecord } from '../run/run-record.ts';
import { type Clock, type StepProgress, secondsLeft } from './clock.ts';

/** Bytes that a search may take, and that its most demanding children are expected to. */
export interface MemoryUse {
  readonly budgetBytes: number;
  readonly expectedBytes: number;
}

/** How a search is watched and stopped. */
export interface SearchHooks {
  /** Stops the search after the running training step, with an AbortError; `resume` goes on from the last finished step. */
  readonly signal?: AbortSignal;
  /** Told while scans are read, and after each training step and each evaluated child. */
  readonly onProgress?: (progress: Progress) => void;
  /** Told once, when all checks have passed: whether anything is searched or one network trained, on what, and what is odd, in sentences. */
  readonly onStart?: (start: {
    readonly isSearch: boolean;
    readonly engine: RunRecord['engine'];
    readonly memory: MemoryUse;
    /** What is worth to know before it begins, in sentences; empty where that is nothing. */
    readonly note?: string;
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

/** Who watches a run that goes. */
export interface Watch {
  /** Tells how far a phase is and gives other work a turn; rejects where the run is to stop. */
  readonly tell: (progress: Progress) => Promise<void>;
  readonly warn: (sentence: string) => void;
}

/** Throws an AbortError on all ranks alike, where one of them is to stop. To be called by all. */
export function stopTogether(team: Team, { signal }: Pick<SearchHooks, 'signal'>): void {
  if (team.gather(signal?.aborted === true).some((stops) => stops)) AbortSignal.abort().throwIfAborted();
}

/** Tells the hooks how far the run of this clock is. Ranks that share it stop together, where they meet. */
export function watchBy(hooks: SearchHooks, clock: Clock, { size }: Pick<Team, 'size'>): Watch {
  /** What of the running step is done; between the steps, nothing. */
  const done = ({ phase, step, done }: Progress): StepProgress => {
    if (step <= clock.step) return { trained: 0, evaluated: 0 };
    return phase === 'train' ? { trained: done, evaluated: 0 } : { trained: clock.trainingSteps, evaluated: done };
  };
  return {
    tell: async (progress) => {
      hooks.onProgress?.({ ...progress, secondsLeft: secondsLeft(clock, done(progress)) });
      await setImmediate();
      if (size === 1) hooks.signal?.throwIfAborted();
    },
    warn: (sentence) => hooks.onWarning?.(sentence),
  };
}
