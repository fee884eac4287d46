import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fromSource } from '../../../../test/from-source.ts';
import { createRandom } from '../../src/base/random.ts';
import { checkDataSet } from '../../src/data/check.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { type DownloadHooks, download, downloadArchive } from '../../src/download/download.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { md5Of, sendFile, serve, tarOf } from './server.ts';

const root = await temporaryFolder();
await writeDataSet(
  join(root, 'Boxes'),
  ['a', 'b', 'c'].map((name, i) => boxCase(name, createRandom(i), [32, 32, 32])),
);
execFileSync('tar', ['-cf', join(root, 'made.tar'), '-C', root, 'Boxes']);
const archive = await readFile(join(root, 'made.tar'));
const sound = { name: 'Boxes', md5: md5Of(archive) };
const half = Math.floor(archive.length / 2);

const newFolder = (): Promise<string> => mkdtemp(join(root, 'out-'));

async function expectWhole(out: string, folder: string): Promise<void> {
  expect(folder).toBe(join(out, 'Boxes'));
  expect(await readdir(out)).toEqual(['Boxes']);
  const { fingerprint, problems } = await checkDataSet(await readDataSet(folder), { folds: 3 });
  expect({ cases: fingerprint?.cases, problems }).toEqual({ cases: 3, problems: [] });
}

describe('a download', () => {
  it('is checked and unpacked, ready to be searched on, and not made twice', async () => {
    const { url, ranges } = await serve((response, request) => sendFile(archive, response, request));
    const out = join(await newFolder(), 'new');
    const phases = new Set<string>();
    const onProgress: DownloadHooks['onProgress'] = ({ phase, doneBytes, totalBytes }) => {
      phases.add(phase);
      expect(totalBytes).toBe(archive.length);
      expect(doneBytes).toBeLessThanOrEqual(totalBytes);
    };
    await expectWhole(out, await downloadArchive({ ...sound, url }, out, { onProgress }));
    expect([...phases]).toEqual(['fetch', 'check', 'unpack']);
    await expectWhole(out, await downloadArchive({ ...sound, url }, out, {}));
    expect(ranges).toEqual([undefined]);
  });

  it('goes on after a clean stop, from what is there', async () => {
    const { url, ranges } = await serve((response, request) => sendFile(archive, response, request));
    const out = await newFolder();
    const controller = new AbortController();
    const stopped = downloadArchive({ ...sound, url }, out, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    const { size } = await stat(join(out, 'Boxes.tar.part'));
    expect(size).toBeGreaterThan(0);
    expect(size).toBeLessThan(archive.length);
    await expectWhole(out, await downloadArchive({ ...sound, url }, out, {}));
    expect(ranges).toEqual([undefined, `bytes=${size}-`]);
  });

  it('goes on after a kill', async () => {
    const { url, ranges } = await serve((response, request, number) => {
      if (number > 0) sendFile(archive, response, request);
      else response.writeHead(200, { 'content-length': archive.length }).write(archive.subarray(0, half));
    });
    const out = await newFolder();
    const source = new URL('../../src/download/download.ts', import.meta.url).href;
    const script = `import { downloadArchive } from '${source}';
      await downloadArchive(${JSON.stringify({ ...sound, url })}, ${JSON.stringify(out)}, {});`;
    const child = spawn(process.execPath, [...fromSource, '--input-type=module', '-e', script]);
    const ended = new Promise((end) => child.on('close', (_, signal) => end(signal)));
    const part = join(out, 'Boxes.tar.part');
    const written = () =>
      stat(part).then(
        ({ size }) => size,
        () => 0,
      );
    while ((await written()) < half) await setTimeout(20);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    await expectWhole(out, await downloadArchive({ ...sound, url }, out, {}));
    expect(ranges).toEqual([undefined, `bytes=${half}-`]);
  });

  it('that had come whole is only checked, and one that was checked only unpacked', async () => {
    const { url, ranges } = await serve((response, request) => sendFile(archive, response, request));
    const out = await newFolder();
    await writeFile(join(out, 'Boxes.tar.part'), archive);
    await expectWhole(out, await downloadArchive({ ...sound, url }, out, {}));
    expect(ranges).toEqual([`bytes=${archive.length}-`]);
    const other = await newFolder();
    await writeFile(join(other, '.Boxes.tar'), archive);
    await mkdir(join(other, '.Boxes.unpacking', 'Boxes'), { recursive: true });
    await expectWhole(other, await downloadArchive({ ...sound, url }, other, {}));
    expect(ranges).toHaveLength(1);
  });

  it('leaves an archive that somebody else has put there', async () => {
    const { url } = await serve((response) => response.end(archive));
    const out = await newFolder();
    await writeFile(join(out, 'Boxes.tar'), 'mine');
    await downloadArchive({ ...sound, url }, out, {});
    expect(await readFile(join(out, 'Boxes.tar'), 'utf8')).toBe('mine');
    expect((await readdir(out)).sort()).toEqual(['Boxes', 'Boxes.tar']);
  });
});

describe('what goes wrong is said', () => {
  it('of a damaged archive, which is removed', async () => {
    const { url } = await serve((response, request) =>
      sendFile(
        archive.map((byte) => byte ^ 1),
        response,
        request,
      ),
    );
    const out = await newFolder();
    await expect(downloadArchive({ ...sound, url }, out, {})).rejects.toThrow(
      /Boxes\.tar: what came is damaged, .* again\.$/,
    );
    expect(await readdir(out)).toEqual([]);
  });

  it('of a disk that is too small, before anything is written', async () => {
    const { url } = await serve((response) => response.writeHead(200, { 'content-length': 2 ** 50 }).write('much'));
    const out = await newFolder();
    await expect(downloadArchive({ ...sound, url }, out, {})).rejects.toThrow(
      /2251799\.8 GB are needed.* GB are free\. Free/,
    );
    expect(await readdir(out)).toEqual([]);
  });

  it('of a folder of this name that is something else', async () => {
    const out = await newFolder();
    await mkdir(join(out, 'Boxes'));
    await expect(downloadArchive({ ...sound, url: 'http://127.0.0.1:1' }, out, {})).rejects.toThrow(
      /holds no dataset\.json/,
    );
  });

  it.each([
    [
      'a path upwards',
      [
        { path: 'Boxes/dataset.json', content: '{}' },
        { path: 'Boxes/../../evil', content: 'x' },
      ],
      /the path Boxes\/\.\.\/\.\.\/evil, so it is not unpacked/,
    ],
    ['no data set', [{ path: 'Boxes/readme', content: 'x' }], /holds no Boxes\/dataset\.json/],
  ] as const)('of an archive with %s, of which nothing stays', async (_, entries, sentence) => {
    const bytes = tarOf(entries);
    const { url } = await serve((response, request) => sendFile(bytes, response, request));
    const out = join(await newFolder(), 'inner');
    await expect(downloadArchive({ name: 'Boxes', url, md5: md5Of(bytes) }, out, {})).rejects.toThrow(sentence);
    expect(await readdir(out)).toEqual(['.Boxes.tar']);
    expect(await readdir(join(out, '..'))).toEqual(['inner']);
  });
});

describe('the tasks of the Decathlon', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('are fetched by their names; another is refused', async () => {
    const fetched = vi.fn(async () => new Response(null, { status: 404 }));
    vi.stubGlobal('fetch', fetched);
    await expect(download('Task99_Elbow', root)).rejects.toThrow(/^Task99_Elbow is no task .* Task10_Colon\.$/);
    expect(fetched).not.toHaveBeenCalled();
    await expect(download('Task05_Prostate', root)).rejects.toThrow(/Task05_Prostate\.tar: the server answers 404/);
    expect(fetched).toHaveBeenCalledOnce();
  });
});
