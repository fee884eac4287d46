import { Exit } from './exit.ts';
import { coloursOf, note } from './output.ts';

/** Work that can be asked to stop cleanly: it then rejects with an AbortError. */
type Work<Result> = (signal: AbortSignal) => Promise<Result>;

/**
 * Runs work that Ctrl-C (or a TERM signal) asks to stop cleanly the first time and ends at once the second time.
 * @param afterwards a sentence that says how to go on after a clean stop
 * @throws Exit with code 130 once the work has stopped cleanly
 */
export async function interruptible<Result>(afterwards: string, work: Work<Result>): Promise<Result> {
  const stopping = 'Stopping after the running step. Press Ctrl-C again to quit at once.';
  return stoppable(work, {
    onStop: () => note(coloursOf(process.stderr).yellow(`\n${stopping}`)),
    onStopped: () => note(`Stopped. ${afterwards}`),
  });
}

/** The same without a word: another process has said it. */
export const quietly = <Result>(work: Work<Result>): Promise<Result> =>
  stoppable(work, { onStop: () => {}, onStopped: () => {} });

async function stoppable<Result>(
  work: Work<Result>,
  { onStop, onStopped }: { readonly onStop: () => void; readonly onStopped: () => void },
): Promise<Result> {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    onStop();
    controller.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    const stopped = error instanceof Error && error.name === 'AbortError';
    if (!stopped) throw error;
    onStopped();
    throw new Exit(130);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
