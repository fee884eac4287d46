import type { Hono } from 'hono';
import { type AppParts, type FindRun, NotFound } from './app.ts';
import type { VolumeKind, VolumeSource } from './volumes.ts';

/** The volumes of a run's cases, by the names of the cases alone. */
export function addVolumeRoutes(
  app: Hono,
  findRun: FindRun,
  { volumes, predictions }: Pick<AppParts, 'volumes' | 'predictions'>,
): void {
  const sourceOf = async (id: string): Promise<VolumeSource> => {
    const { folder, known } = await findRun(id);
    const { run, report } = known();
    if (run === null) throw new NotFound('The run has not begun.');
    return { folder, run, isFinished: report !== null, address: `/api/runs/${encodeURIComponent(id)}/volumes` };
  };
  app.get('/api/runs/:id/volumes/:case', async (context) => {
    const source = await sourceOf(context.req.param('id'));
    return context.json(await volumes.describe(source, context.req.param('case')));
  });
  app.post('/api/runs/:id/volumes/:case/prediction', async (context) => {
    const source = await sourceOf(context.req.param('id'));
    const name = context.req.param('case');
    await predictions.make(source.folder, await volumes.caseNamed(source, name));
    return context.json(await volumes.describe(source, name));
  });
  app.get('/api/runs/:id/volumes/:case/:file', async (context) => {
    const which = kindOf(context.req.param('file'));
    if (which === undefined) throw new NotFound('There is no such volume.');
    const source = await sourceOf(context.req.param('id'));
    const { stream, bytes } = await volumes.open(source, context.req.param('case'), which);
    return context.body(stream, 200, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(bytes),
      'Cache-Control': 'no-cache',
    });
  });
}

function kindOf(file: string): VolumeKind | undefined {
  const [, scan, kind] = /^(?:scan-(\d{1,3})|(label|prediction))\.nii(?:\.gz)?$/.exec(file) ?? [];
  if (scan !== undefined) return { kind: 'scan', at: Number(scan) };
  return kind === 'label' || kind === 'prediction' ? { kind } : undefined;
}
