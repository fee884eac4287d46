import { join } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import type { Batches } from '../batches/batches.ts';
import type { Team } from '../ranks/team.ts';
import type { Augmenting } from './augmenting.ts';
import type { Clock } from './clock.ts';
import type { RunContext, SearchContext } from './context.ts';
import type { Evaluable } from './evaluating.ts';
import type { MemoryPlan } from './memory.ts';
import type { SearchState, TrainingState } from './state.ts';
import type { Watch } from './watching.ts';

/** A run that has passed all checks: what it works with, what changes in it, and its time. */
interface Opened<Context, State> {
  readonly context: Context;
  readonly state: State;
  readonly clock: Clock;
  readonly augmenting: Augmenting;
  readonly folder: string;
  readonly plan: MemoryPlan;
  /** What the last finished step evaluated, in another process; none in a new run. */
  readonly lastChildren: readonly Evaluable[];
  /** Lets other processes into the run folder; to be called at the end, whatever it is. */
  readonly release: () => Promise<void>;
}

/** Trains one network. */
export interface OpenedTraining extends Opened<RunContext, TrainingState> {
  readonly architecture: Architecture;
}

/** Searches. */
export interface OpenedSearch extends Opened<SearchContext, SearchState> {
  readonly architecture?: undefined;
}

export type OpenedRun = OpenedSearch | OpenedTraining;

/** What a run has while it goes: the thread that makes its batches, and who watches it. */
export interface Going {
  readonly batches: Batches;
  readonly watch: Watch;
  /** To be awaited by all ranks at the same place: they agree on the time. Rejects where one of them is to stop. */
  readonly meet: () => Promise<void>;
}

export type TrainingRun = OpenedTraining & Going;
export type SearchRun = OpenedSearch & Going;
export type Run = SearchRun | TrainingRun;

/** Where a run folder has the prepared cases of a rank that do not fit into memory, while it is searched; nothing else has such a name. */
export const cacheFolderOf = (runFolder: string, { rank }: Pick<Team, 'rank'>): string =>
  join(runFolder, rank === 0 ? '.cases' : `.cases-${rank}`);
