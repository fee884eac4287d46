import { isLoadError, UserError } from '../base/errors.ts';
import type { SearchHooks } from '../search/search.ts';
import { runJob } from './job.ts';
import type { FromJob, ToJob } from './messages.ts';

// Runs the one job that it is told of by the process that has started it, and ends with that.
const stopping = new AbortController();
const tell = (message: FromJob): void => void process.send?.(message);

process.on('disconnect', () => process.exit(1));
// On a terminal Ctrl-C reaches this process as well: whoever started it says when to stop.
process.on('SIGINT', () => {});
process.on('message', (message: ToJob) => {
  if (message.kind === 'stop') stopping.abort();
  else {
    const hooks: SearchHooks = {
      signal: stopping.signal,
      onProgress: (progress) => tell({ kind: 'progress', progress }),
      onStart: (start) => tell({ kind: 'start', start }),
      onWarning: (sentence) => tell({ kind: 'warning', sentence }),
    };
    runJob(message.job, hooks).then(() => tell({ kind: 'finished' }), fail);
  }
});

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const isKnown = error instanceof UserError || isLoadError(error);
  tell({ kind: 'failed', message, ...(!isKnown && error instanceof Error && error.stack && { stack: error.stack }) });
}
