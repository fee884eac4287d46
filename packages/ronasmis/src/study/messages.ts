import type { Progress } from '../run/progress.ts';
import type { SearchHooks } from '../search/search.ts';
import type { Job } from './job.ts';

/** What the process that runs a job is told. */
export type ToJob = { readonly kind: 'run'; readonly job: Job } | { readonly kind: 'stop' };

type Start = Parameters<NonNullable<SearchHooks['onStart']>>[0];

/** What it tells. */
export type FromJob =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'warning'; readonly sentence: string }
  | { readonly kind: 'start'; readonly start: Start }
  | { readonly kind: 'finished' }
  /** What is no fault of the user's has a stack. */
  | { readonly kind: 'failed'; readonly message: string; readonly stack?: string };
