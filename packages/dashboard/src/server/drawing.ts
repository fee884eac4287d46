import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { drawChildOf } from 'ronasmis/report';
import { eventSchema, type RunRecord, UserError } from 'ronasmis/run';
import type { Drawing } from '../shared/messages.ts';

/**
 * A child of a step, read from the run folder again: a long search has more architectures than memory should hold.
 * @throws UserError where there is none
 */
export async function drawChild(folder: string, run: RunRecord, step: number, index: number): Promise<Drawing> {
  const line = await lineOf(join(folder, 'events.jsonl'), step);
  const event = line === undefined ? undefined : eventSchema.safeParse(JSON.parse(line));
  const drawing = event?.data && drawChildOf(event.data, index, run);
  if (drawing === undefined) {
    throw new UserError(`${folder} has no child ${index + 1} of step ${step} any more: reload the page.`);
  }
  return drawing;
}

/** The line of a step, the last of several: a killed search that went on has made it again. */
async function lineOf(path: string, step: number): Promise<string | undefined> {
  const stream = createReadStream(path, 'utf8');
  let found: string | undefined;
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (Number(/"step":\s*(\d+)/.exec(line)?.[1]) === step) found = line;
    }
  } catch {
    // The folder is gone, or on its way.
  } finally {
    stream.destroy();
  }
  return found;
}
