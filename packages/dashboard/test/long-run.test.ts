import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventsOf, lineOf, serve, temporaryFolder, writeRun } from './run-folders.ts';
import { ask, jsonAt, listen } from './sse.ts';

const root = await temporaryFolder();
const steps = 200_000;

// Reading so many takes a quarter of a minute of one core; what the page is given meanwhile comes at once.
it('a run of 200,000 steps is served at once, and in few figures', async () => {
  const folder = join(root, 'long');
  await writeRun(folder, []);
  const [{ children, best_scores: _, ...event }] = eventsOf(1);
  const file = await open(join(folder, 'events.jsonl'), 'a');
  for (let from = 0; from < steps; from += 10_000) {
    const lines = Array.from({ length: 10_000 }, (_, at) => {
      const step = from + at + 1;
      return lineOf({ ...event, step, seconds: step, loss: 1 / step, children: children.slice(0, 1) });
    });
    await file.appendFile(lines.join(''));
  }
  await file.close();
  const server = await serve(folder);
  const started = performance.now();
  const page = await listen(`${server.address}api/runs/long/events`);
  await page.until(({ state }) => state() !== undefined);
  expect((await ask(server.address, '/')).status).toBe(200);
  expect(performance.now() - started).toBeLessThan(2000);
  await page.until(({ state }) => state()?.steps === steps);
  expect(page.rows().length).toBeLessThanOrEqual(1500);
  expect(page.rows().at(-1)).toBe(steps);
  const bytes = page.messages.reduce((sum, { data }) => sum + data.length, 0);
  expect(bytes).toBeLessThan(200 * 1500 * 300);
  const within = await jsonAt(server.address, '/api/runs/long/rows?from=1000&to=1100');
  expect(within).toHaveLength(101);
  const { columns } = await jsonAt(server.address, '/api/runs/long/choices');
  expect(columns.length).toBeLessThanOrEqual(240);
  expect(columns.at(-1).to).toBe(steps);
  const scatter = await jsonAt(server.address, '/api/runs/long/scatter');
  expect(scatter.children.length).toBeLessThan(4000);
  page.close();
}, 600_000);
