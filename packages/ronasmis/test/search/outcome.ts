import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRun } from '../../src/run/read-run.ts';

/** What a finished run comes to, but for what depends on the clock. */
export async function outcome(folder: string) {
  const { events, architecture, report } = await readRun(folder);
  return {
    events: events.map(({ seconds, training_seconds, evaluation_seconds, peak_memory_bytes, children, ...event }) => ({
      ...event,
      children: children.map(({ seconds, ...child }) => child),
    })),
    architecture,
    dice: [report?.validation_dice, report?.test_dice],
    weights: (await readFile(join(folder, 'model.safetensors'))).toString('base64'),
  };
}
