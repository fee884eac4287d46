import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { dimensionsOf, featureBytes, levelsOf } from 'ronasmis/report';
import { type Architecture, eventSchema, type RunRecord, UserError } from 'ronasmis/run';
import type { ChildFigures, Drawing } from '../shared/messages.ts';
import { figuresOf } from './children.ts';
import type { Known } from './live-run.ts';

/**
 * A child of a step, read from the run folder again: a long search has more architectures than memory should hold.
 * @throws UserError where there is none
 */
export async function drawChild(folder: string, run: RunRecord, step: number, index: number): Promise<Drawing> {
  const line = await lineOf(join(folder, 'events.jsonl'), step);
  const event = line === undefined ? undefined : eventSchema.safeParse(JSON.parse(line));
  const child = event?.data?.children.at(index);
  if (event?.data === undefined || child === undefined) {
    throw new UserError(`${folder} has no child ${index + 1} of step ${step} any more: reload the page.`);
  }
  const title = `Child ${index + 1} of step ${step}`;
  return drawingOf(title, child.architecture, run, figuresOf(event.data)[index]);
}

/** The architecture that was found, or, before that, the best child of the last step; null before the first. */
export function drawBest({ run, architecture, lastEvaluated }: Known): Drawing | null {
  if (run === null) return null;
  if (architecture !== null) return drawingOf('The architecture that was found', architecture, run, null);
  if (lastEvaluated === null) return null;
  const { children, step } = lastEvaluated;
  const rewards = children.map(({ reward }) => reward);
  const best = rewards.indexOf(Math.max(...rewards));
  const title = `The best child of step ${step}`;
  return drawingOf(title, children[best].architecture, run, figuresOf(lastEvaluated)[best]);
}

function drawingOf(title: string, architecture: Architecture, run: RunRecord, child: ChildFigures | null): Drawing {
  const { depth, height, width } = architecture.patch;
  const bytesPerElement = run.engine.precision === 'fp32' ? 4 : 2;
  return {
    title,
    child,
    isChild: architecture.kind === undefined,
    patch: [depth, height, width],
    levels: levelsOf(architecture, run.network),
    bytes: featureBytes(architecture, dimensionsOf(run), bytesPerElement) ?? null,
    cell: 'cell' in architecture ? architecture.cell : null,
  };
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
