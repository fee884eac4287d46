import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SearchEvent } from 'ronasmis/run';
import { afterAll } from 'vitest';
import { reportContent } from '../../ronasmis/test/report/content.ts';
import { type DashboardServer, serveDashboard } from '../src/server/serve.ts';

/** A folder that goes when the tests of a file have ended. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ronasmis-dashboard-test-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Events of a search as the program writes them, with all that newer ones say. */
export function eventsOf(count: number): readonly SearchEvent[] {
  const { events } = reportContent(5);
  return Array.from({ length: count }, (_, at): SearchEvent => {
    const event = events[at % events.length];
    const rising = 0.5 + 0.4 * (at / count);
    return {
      ...event,
      step: at + 1,
      seconds: 10 * (at + 1),
      reward_max: rising,
      reward_mean: rising - 0.05,
      children: event.children.map(({ architecture }, index) => ({
        architecture,
        reward: rising - 0.01 * index,
        seconds: 0.5 + 0.1 * index,
        memory_bytes: 4e8 - 1e7 * index,
      })),
      reward_base: rising - 0.02,
      best_scores: { patient_1: { 1: rising, 2: null }, patient_2: { 1: rising - 0.1, 2: 0.5 } },
      policy: [{ choice: 'dilation, encoder level 0', probabilities: { 1: 1 - rising, 2: rising } }],
    };
  });
}

export const lineOf = (event: SearchEvent): string => `${JSON.stringify(event)}\n`;

/** Writes the records of a run folder: of a finished search, or of one that goes on. */
export async function writeRun(folder: string, events: readonly SearchEvent[], isFinished = false): Promise<void> {
  const { run, architecture, report } = reportContent(5);
  await mkdir(folder, { recursive: true });
  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
  await write('run.json', JSON.stringify(run));
  await write('events.jsonl', events.map(lineOf).join(''));
  if (!isFinished) return;
  await write('architecture.json', JSON.stringify(architecture));
  await write('report.json', JSON.stringify(report));
}

/** What is served; a test that runs can't ask for something to be done after all tests. */
const served: DashboardServer[] = [];
afterAll(async () => {
  for (const server of served) await server.close();
});

/** Serves folders until the tests of a file have ended. */
export async function serve(...folders: readonly string[]): Promise<DashboardServer> {
  const server = await serveDashboard({ folders, port: 0 });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (!isClosed) await server.close();
    isClosed = true;
  };
  const closable = { ...server, close };
  served.push(closable);
  return closable;
}
