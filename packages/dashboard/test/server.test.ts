import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventsOf, lineOf, serve, temporaryFolder, writeRun } from './run-folders.ts';
import { ask, jsonAt, listen } from './sse.ts';

const root = await temporaryFolder();
const finished = join(root, 'finished');
await writeRun(finished, eventsOf(6), true);
await writeFile(join(root, 'secret.txt'), 'secret');
const { address } = await serve(finished);

const json = (path: string) => jsonAt(address, `/api/runs/finished/${path}`);

describe('whom it answers', () => {
  it('those who call this machine by its own name alone', async () => {
    for (const host of ['evil.example', `evil.example:${new URL(address).port}`, '127.0.0.1', 'localhost:1']) {
      expect((await ask(address, '/', { host })).status, host).toBe(403);
    }
    expect((await ask(address, '/', { host: `LOCALHOST:${new URL(address).port}` })).status).toBe(200);
  });

  it('no page of another origin', async () => {
    const path = '/api/runs/finished/volumes/x/prediction';
    expect((await ask(address, path, { origin: 'http://evil.example' }, 'POST')).status).toBe(403);
    expect((await ask(address, path, { origin: 'null' }, 'POST')).status).toBe(403);
  });

  it('with headers that let nothing in from elsewhere', async () => {
    const { headers } = await ask(address, '/');
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect((await ask(address, '/api/folders')).headers['content-security-policy']).toBe(policy);
    expect((await ask(address, '/nothing')).headers['content-security-policy']).toBe(policy);
  });

  it('with no file beside its own', async () => {
    const paths = [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/assets/..%2f..%2f..%2fpackage.json',
      '/api/runs/..%2fsecret.txt/record',
      '/api/runs/finished%2f..%2f..%2fsecret.txt/record',
      '/api/runs/finished:..%2f../record',
      '/api/runs/finished/volumes/..%2f..%2fsecret.txt/label.nii.gz',
      '/api/runs/finished/volumes/patient_1/..%2f..%2fsecret.txt',
      '/api/runs/finished/volumes/patient_1/scan-99999.nii.gz',
      '/run.json',
      '/finished/run.json',
      '//etc/passwd',
      '/%00',
      '/api/runs/%E0%A4%A/record',
    ];
    for (const path of paths) {
      const { status, text } = await ask(address, path, { host: new URL(address).host });
      expect(status, path).toBeGreaterThanOrEqual(400);
      expect(status, path).toBeLessThan(500);
      expect(text, path).not.toContain('secret');
    }
  });

  it('what it does not understand, with a sentence and no defect', async () => {
    for (const path of [
      'children?limit=1e9',
      'children?sort=name',
      'rows',
      'rows?from=a&to=b',
      'children/1/-1',
      'children/x/y',
    ]) {
      expect((await ask(address, `/api/runs/finished/${path}`)).status, path).toBe(400);
    }
    expect((await ask(address, '/api/runs/finished/children/4711/0')).status).toBe(409);
  });
});

describe('a finished run', () => {
  it('is told as it stands in its folder', async () => {
    const page = await listen(`${address}api/runs/finished/events`);
    await page.until(({ state }) => state()?.standing === 'finished');
    expect(page.rows()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(page.state()).toMatchObject({ steps: 6, problem: null });
    page.close();
    const { total, children } = await json('children?sort=memory&ascending=true&limit=3');
    expect(total).toBe(eventsOf(6).flatMap((event) => event.children).length);
    expect(children.map(({ memory }: { readonly memory: number }) => memory)).toEqual(
      children.map(({ memory }: { readonly memory: number }) => memory).toSorted((a: number, b: number) => a - b),
    );
    const { choices, source } = await json('choices');
    expect(source).toBe('policy');
    expect(choices[0].options.map(({ name }: { readonly name: string }) => name)).toEqual(['1', '2']);
    const drawing = await json('children/2/1');
    expect(drawing.title).toBe('Child 2 of step 2');
    expect(drawing.levels).toHaveLength(5);
    expect(drawing.bytes).toHaveLength(5);
    const [test] = await json('cases');
    const means = test.cases.map(({ mean }: { readonly mean: number | null }) => mean ?? 2);
    expect(means).toEqual(means.toSorted((a: number, b: number) => a - b));
    expect((await json('record')).map(({ title }: { readonly title: string }) => title)).toContain('Recipe');
  });

  it('whose data set is gone says so where a volume is asked for', async () => {
    const { files, why } = await json('volumes/patient_1');
    expect(files).toBeNull();
    expect(why).toMatch(/\.$/);
  });
});

describe('a run that goes on', () => {
  const folder = join(root, 'growing');

  it('is told step by step, and from where a page was cut off', async () => {
    const events = eventsOf(10);
    await writeRun(folder, events.slice(0, 3));
    const server = await serve(folder);
    const url = `${server.address}api/runs/growing/events`;
    const page = await listen(url);
    await page.until(({ rows }) => rows().length === 3);
    await appendFile(join(folder, 'events.jsonl'), lineOf(events[3]));
    await page.until(({ rows }) => rows().length === 4);
    const id = page.messages.findLast(({ event }) => event === 'rows')?.id;
    page.close();
    await appendFile(join(folder, 'events.jsonl'), lineOf(events[4]) + lineOf(events[5]));
    const again = await listen(url, id);
    await again.until(({ rows }) => rows().length === 2);
    expect(again.rows()).toEqual([5, 6]);
    const strange = await listen(url, 'anything');
    await strange.until(({ rows }) => rows().length === 6);
    // A killed search makes a step again: pages are told all anew.
    await appendFile(join(folder, 'events.jsonl'), lineOf({ ...events[5], seconds: 61 }));
    await again.until(({ rows }) => rows().length === 6);
    expect(again.rows()).toEqual([1, 2, 3, 4, 5, 6]);
    again.close();
    strange.close();
  });

  it('whose line is damaged keeps what came before, and says which', async () => {
    await appendFile(join(folder, 'events.jsonl'), '{"step":7,\n');
    const server = await serve(folder);
    const page = await listen(`${server.address}api/runs/growing/events`);
    await page.until(({ state }) => state()?.problem != null);
    expect(page.state()?.problem).toMatch(/line 8, is damaged/);
    await page.until(({ rows }) => rows().length === 6);
    page.close();
  });

  it('whose folder goes is told to be gone, and can be asked for all the same', async () => {
    const server = await serve(folder);
    const page = await listen(`${server.address}api/runs/growing/events`);
    await page.until(({ rows }) => rows().length === 6);
    await rm(folder, { recursive: true });
    await page.until(({ state }) => state()?.standing === 'gone');
    expect((await ask(server.address, '/api/folders')).status).toBe(200);
    expect((await ask(server.address, '/api/runs/growing/children/2/0')).status).toBe(409);
    expect((await ask(server.address, '/api/runs/growing/scatter')).status).toBe(200);
    page.close();
  });

  it('that has not begun is waited for', async () => {
    const server = await serve(join(root, 'later'));
    const page = await listen(`${server.address}api/runs/later/events`);
    await page.until(({ state }) => state()?.standing === 'waiting');
    await writeRun(join(root, 'later'), eventsOf(2), true);
    await page.until(({ state, rows }) => state()?.standing === 'finished' && rows().length === 2);
    page.close();
  });
});

describe('many', () => {
  it('pages of one run share what is read, and are let go', async () => {
    const server = await serve(finished);
    const pages = await Promise.all(
      Array.from({ length: 50 }, () => listen(`${server.address}api/runs/finished/events`)),
    );
    await Promise.all(pages.map((page) => page.until(({ rows }) => rows().length === 6)));
    expect(server.followed()).toBe(1);
    for (const page of pages) page.close();
    await server.close();
    expect(server.followed()).toBe(0);
  });

  it('runs of a study are listed, with what it found', async () => {
    const study = join(root, 'study');
    await writeRun(join(study, 'reinforce-1'), eventsOf(3), true);
    await writeRun(join(study, 'fixed-1'), eventsOf(2));
    await writeFile(join(study, 'study.json'), '{"damaged');
    const server = await serve(study, finished);
    const [of, alone] = await jsonAt(server.address, '/api/folders');
    expect(
      of.runs.map(({ id, standing }: { readonly id: string; readonly standing: string }) => [id, standing]),
    ).toEqual([
      ['study:fixed-1', 'stopped'],
      ['study:reinforce-1', 'finished'],
    ]);
    expect(of.problem).toContain('study.json is damaged');
    expect(alone.kind).toBe('run');
    const page = await listen(`${server.address}api/runs/study:fixed-1/events`);
    await page.until(({ rows }) => rows().length === 2);
    page.close();
  });
});
