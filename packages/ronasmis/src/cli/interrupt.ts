import { Exit } from './exit.ts';
import { coloursOf, note } from './output.ts';

/**
 * Runs work that Ctrl-C (or a TERM signal) asks to stop cleanly the first time and ends at once the second time.
 * @param afterwards a sentence that says how to go on after a clean stop
 * @throws Exit with code 130 once the work has stopped cleanly
 */
export async function interruptible<T>(afterwards: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    note(coloursOf(process.stderr).yellow('\nStopping after the running step. Press Ctrl-C again to quit at once.'));
    controller.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    const stopped = controller.signal.aborted && error instanceof Error && error.name === 'AbortError';
    if (!stopped) throw error;
    note(`Stopped. ${afterwards}`);
    throw new Exit(130);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
