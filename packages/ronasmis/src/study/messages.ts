import type { Progress } from '../run/progress.ts';
import type { Job } from './job.ts';

/** What the process that runs a job is told. */
export type ToJob = { readonly kind: 'run'; readonly job: Job } | { readonly kind: 'stop' };

/** What it tells. */
export type FromJob =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'warning'; readonly sentence: string }
  | { readonly kind: 'finished' }
  /** What is no fault of the user's has a stack. */
  | { readonly kind: 'failed'; readonly message: string; readonly stack?: string };
