import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Started, start } from '../../ronasmis/test/end-to-end/command.ts';
import { eventsOf, temporaryFolder, writeRun } from './run-folders.ts';
import { ask } from './sse.ts';

const root = await temporaryFolder();
const run = join(root, 'run');
await writeRun(run, eventsOf(2), true);

/** What a started dashboard says first on standard output. */
const firstLine = ({ child }: Started): Promise<string> =>
  new Promise((resolve) => child.stdout.once('data', (text: string) => resolve(text.split('\n')[0])));

const answers = (address: string): Promise<boolean> =>
  ask(address, '/').then(
    ({ status }) => status === 200,
    () => false,
  );

describe('ronasmis dashboard', () => {
  it('says its address first, serves on loopback, and ends by Ctrl-C', async () => {
    const started = start('dashboard', run);
    const address = await firstLine(started);
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await answers(address)).toBe(true);
    started.child.kill('SIGINT');
    expect(await started.ended).toMatchObject({ code: 0, stdout: `${address}\n` });
    expect(await answers(address)).toBe(false);
  });

  it('ends with the process that was asked for it, however that ends', async () => {
    const started = start('dashboard', run);
    const address = await firstLine(started);
    started.child.kill('SIGKILL');
    await started.ended;
    while (await answers(address)) await setTimeout(20);
  });

  it('says in a sentence what is no run, and that a port is taken', async () => {
    await mkdir(join(root, 'empty'));
    for (const name of ['empty', 'nothing']) {
      const { code, stderr } = await start('dashboard', run, join(root, name)).ended;
      expect(code).toBe(2);
      expect(stderr).toMatch(new RegExp(`^error: .*/${name} is no run folder, .*\\.\\n$`));
    }
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, stderr, stdout } = await start('dashboard', run, '--port', String(port)).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      `error: Port ${port} can't be used here (EADDRINUSE): give another one with --port, or none.\n`,
    );
    taken.close();
  });
});

describe('ronasmis serve', () => {
  it('says its address first, serves the folder on loopback, and ends by Ctrl-C', async () => {
    const folder = join(root, 'exported');
    await mkdir(folder);
    for (const name of ['index.html', 'model.json', 'model.onnx']) await writeFile(join(folder, name), name);
    const started = start('serve', folder);
    const address = await firstLine(started);
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect((await ask(address, '/model.json')).status).toBe(200);
    expect((await ask(address, '/none')).status).toBe(404);
    started.child.kill('SIGINT');
    expect(await started.ended).toMatchObject({ code: 0, stdout: `${address}\n` });
    expect(await answers(address)).toBe(false);
  });
});
