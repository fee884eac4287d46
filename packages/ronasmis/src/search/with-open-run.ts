import { limitTensorBytes } from '@ronasmis/libtorch';
import { openBatches } from '../batches/batches.ts';
import { openHeartbeat } from '../run/heartbeat.ts';
import type { Progress } from '../run/progress.ts';
import type { Going, OpenedRun } from './run.ts';
import { type SearchHooks, watchBy } from './watching.ts';

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
      const batches = openBatches(opened.context.cases);
      const heartbeat = openHeartbeat(opened.folder);
      const onProgress = (progress: Progress): void => {
        heartbeat.beat(progress);
        hooks.onProgress?.(progress);
      };
      try {
        return await work({ ...opened, batches, watch: watchBy({ ...hooks, onProgress }, opened.clock) });
      } finally {
        await heartbeat.stop();
        await batches.close();
      }
    } finally {
      await opened.release();
    }
  } finally {
    limitTensorBytes(Number.POSITIVE_INFINITY);
  }
}
