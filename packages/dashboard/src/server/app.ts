import { Hono } from 'hono';
import { caseTables, drawBest, mostRows, recordSections, scatterPoints, thin } from 'ronasmis/report';
import { UserError } from 'ronasmis/run';
import { z } from 'zod';
import { childrenPage } from '../shared/children-page.ts';
import { drawChild } from './drawing.ts';
import { type NamedFolder, runNamed } from './folders.ts';
import { guard } from './guard.ts';
import type { Hub } from './hub.ts';
import { createListing } from './listing.ts';
import type { LiveRun } from './live-run.ts';
import { servePages } from './pages.ts';
import type { Predictions } from './predictions.ts';
import { streamRun } from './stream.ts';
import { addVolumeRoutes } from './volume-routes.ts';
import type { Volumes } from './volumes.ts';

/** What the page is served from. */
export interface AppParts {
  readonly folders: readonly NamedFolder[];
  readonly hub: Hub;
  readonly volumes: Volumes;
  readonly predictions: Predictions;
  /** That it listens on, once it does. */
  readonly port: () => number;
}

/** A run that an address names, or its error. */
export type FindRun = (id: string) => Promise<LiveRun>;

/** Nothing is at the address that a page has asked for. */
export class NotFound extends Error {
  override readonly name = 'NotFound';
}

const whole = z.coerce.number().int().min(0);
const childrenQuery = z.object({
  sort: z.enum(['step', 'reward', 'seconds', 'memory']).default('reward'),
  ascending: z.stringbool().default(false),
  offset: whole.default(0),
  limit: whole.max(200).default(20),
});
const rangeQuery = z.object({ from: z.coerce.number(), to: z.coerce.number() });

/** All addresses of the page's server. */
export function createApp(parts: AppParts): Hono {
  const { folders, hub, port } = parts;
  const app = new Hono();
  app.use(guard(port));
  app.onError((error, context) => {
    if (error instanceof NotFound) return context.json({ error: error.message }, 404);
    if (error instanceof UserError) return context.json({ error: error.message }, 409);
    if (error instanceof z.ZodError) return context.json({ error: 'This address is not understood.' }, 400);
    process.stderr.write(`${error.stack ?? error.message}\n`);
    return context.json({ error: 'This server has a defect, which its terminal shows.' }, 500);
  });
  app.notFound((context) => context.json({ error: 'Nothing is here.' }, 404));
  const findRun: FindRun = async (id) => {
    const found = await runNamed(folders, id);
    if (found === undefined) throw new NotFound('There is no such run.');
    return hub.follow(found.path);
  };
  const list = createListing(folders);
  app.get('/api/folders', async (context) => context.json(await list()));
  addRunRoutes(app, findRun);
  addVolumeRoutes(app, findRun, parts);
  servePages(app);
  return app;
}

function addRunRoutes(app: Hono, findRun: FindRun): void {
  app.get('/api/runs/:id/events', async (context) => streamRun(context, await findRun(context.req.param('id'))));
  app.get('/api/runs/:id/rows', async (context) => {
    const { from, to } = rangeQuery.parse(context.req.query());
    const { rows } = (await findRun(context.req.param('id'))).known();
    const within = rows.filter(({ step }) => step >= from && step <= to);
    return context.json(thin(within, mostRows));
  });
  app.get('/api/runs/:id/choices', async (context) => {
    return context.json((await findRun(context.req.param('id'))).known().choices.read());
  });
  app.get('/api/runs/:id/children', async (context) => {
    const query = childrenQuery.parse(context.req.query());
    return context.json(childrenPage((await findRun(context.req.param('id'))).known().children, query));
  });
  app.get('/api/runs/:id/scatter', async (context) => {
    return context.json(scatterPoints((await findRun(context.req.param('id'))).known().children));
  });
  app.get('/api/runs/:id/children/:step/:index', async (context) => {
    const { folder, known } = await findRun(context.req.param('id'));
    const { run } = known();
    if (run === null) throw new NotFound('The run has not begun.');
    const [step, index] = [whole.parse(context.req.param('step')), whole.parse(context.req.param('index'))];
    return context.json(await drawChild(folder, run, step, index));
  });
  app.get('/api/runs/:id/architecture', async (context) => {
    return context.json(drawBest((await findRun(context.req.param('id'))).known()));
  });
  app.get('/api/runs/:id/cases', async (context) => {
    return context.json(caseTables((await findRun(context.req.param('id'))).known()));
  });
  app.get('/api/runs/:id/record', async (context) => {
    const { run } = (await findRun(context.req.param('id'))).known();
    return context.json(run === null ? [] : recordSections(run));
  });
}
