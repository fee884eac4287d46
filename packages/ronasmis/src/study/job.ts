import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import type { RunSettings, SearchOptions, TrainingOptions } from '../search/options.ts';
import { resume } from '../search/resume.ts';
import { type SearchHooks, type SearchResult, search } from '../search/search.ts';
import { trainArchitecture } from '../search/train-architecture.ts';

/** A run as plain data, so that another process can be told of it: a search, or the training of one network. */
export type Job =
  | { readonly kind: 'search'; readonly options: SearchOptions & Pick<RunSettings, 'lastChildren'> }
  | { readonly kind: 'training'; readonly architecture: Architecture; readonly options: TrainingOptions };

/** Runs a job from its beginning, or from where it was stopped. @throws UserError as a search does */
export function runJob(job: Job, hooks: SearchHooks): Promise<SearchResult> {
  const { out } = job.options;
  if (existsSync(join(out, 'run.json'))) return resume(out, hooks);
  return job.kind === 'search' ? search(job.options, hooks) : trainArchitecture(job.architecture, job.options, hooks);
}
