/**
 * The files of a run folder, a study and a comparison: their schemas, reading them, and following a search while it runs. Loads no libtorch, so that it
 * is there at once, on machines that have none as well.
 *
 * @module ronasmis/run
 */
export {
  type Architecture,
  architectureSchema,
  type MacroArchitecture,
  type MicroArchitecture,
} from '../architecture/architecture.ts';
export { UserError } from '../base/errors.ts';
export { type DiceSummary, diceSummarySchema } from '../evaluation/summary.ts';
export {
  type CompareRecord,
  type CompareResults,
  compareResultsSchema,
  compareSchema,
  type FailedRun,
  type ScoredRun,
  type SystemResult,
} from './compare-record.ts';
export { eventSchema, type SearchEvent } from './event.ts';
export type { HeadroomRecord, HeadroomResults } from './headroom-record.ts';
export { isAtWork } from './lock.ts';
export { progressSchema, type RunProgress } from './progress.ts';
export { type RunFiles, readComparison, readHeadroom, readRun, readStudy } from './read-run.ts';
export { reportSchema, type SearchReport } from './report.ts';
export { classNamesOf, type RunRecord, runSchema } from './run-record.ts';
export {
  type ChildAlone,
  type Comparison,
  type ContestantResult,
  type ContestRun,
  type Contribution,
  type RewardPoint,
  type StudyRecord,
  type StudyResults,
  studyResultsSchema,
  studySchema,
} from './study-record.ts';
export { type RunUpdate, type WatchOptions, watchRun } from './watch.ts';
