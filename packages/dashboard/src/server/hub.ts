import { followRun, type LiveRun } from './live-run.ts';

/** Follows runs while someone looks at them. */
export interface Hub {
  /** The run in this folder, which is followed from now on, for a while after the last call. */
  readonly follow: (folder: string) => LiveRun;
  /** How many are followed now. */
  readonly size: () => number;
  readonly close: () => void;
}

/** A run that nobody has asked for so long, in milliseconds, is let go with all that is known of it. */
const patience = 60_000;

/** Runs that are followed, each once whoever looks at it. */
export function createHub(waits = patience): Hub {
  const runs = new Map<string, { readonly run: LiveRun; asked: number }>();
  const sweep = (): void => {
    for (const [folder, { run, asked }] of runs) {
      if (run.subscribers() > 0 || Date.now() - asked < waits) continue;
      run.close();
      runs.delete(folder);
    }
  };
  const sweeping = setInterval(sweep, waits / 4);
  return {
    follow: (folder) => {
      const entry = runs.get(folder) ?? { run: followRun(folder), asked: 0 };
      entry.asked = Date.now();
      runs.set(folder, entry);
      return entry.run;
    },
    size: () => runs.size,
    close: () => {
      clearInterval(sweeping);
      for (const { run } of runs.values()) run.close();
      runs.clear();
    },
  };
}
