import { setImmediate } from 'node:timers/promises';
import { limitTensorBytes } from '@ronasmis/libtorch';
import { openBatches } from '../batches/batches.ts';
import type { Team } from '../ranks/team.ts';
import { openHeartbeat } from '../run/heartbeat.ts';
import type { Progress } from '../run/progress.ts';
import type { Clock } from './clock.ts';
import type { Going, OpenedRun } from './run.ts';
import { type SearchHooks, stopTogether, watchBy } from './watching.ts';

/**
 * Opens a run and lets `work` go on with it; its folder says how far it is. Whatever happens, its thread ends, other processes may use its folder again, and what it limits
 * the process's tensors to does not outlast it.
 */
export async function withOpenRun<Opened extends OpenedRun, Result>(
  open: () => Promise<Opened>,
  hooks: SearchHooks,
  work: (run: Opened & Going) => Promise<Result>,
): Promise<Result> {
  try {
    const opened = await open();
    try {
      const { context, clock, folder } = opened;
      const batches = openBatches(context.cases);
      const heartbeat = context.team.isFirst ? openHeartbeat(folder) : undefined;
      const onProgress = (progress: Progress): void => {
        heartbeat?.beat(progress);
        hooks.onProgress?.(progress);
      };
      try {
        const watch = watchBy({ ...hooks, onProgress }, clock, context.team);
        return await work({ ...opened, batches, watch, meet: meetingOf(context.team, clock, hooks) });
      } finally {
        await heartbeat?.stop();
        await batches.close();
      }
    } finally {
      await opened.release();
    }
  } finally {
    limitTensorBytes(Number.POSITIVE_INFINITY);
  }
}

/** How ranks agree, each hearing of the signals that it gets. */
function meetingOf(team: Team, clock: Clock, hooks: SearchHooks): () => Promise<void> {
  if (team.size === 1) return async () => {};
  return async () => {
    await setImmediate();
    clock.agree?.();
    stopTogether(team, hooks);
  };
}
