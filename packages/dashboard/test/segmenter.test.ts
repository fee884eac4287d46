import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, extname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { exportWeb, predict } from 'ronasmis';
import { readVolume, type Volume, writeNifti } from 'ronasmis/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networkOf } from '../../ronasmis/src/network/of-architecture.ts';
import { weight } from '../../ronasmis/src/network/weights.ts';
import { recordDimensions } from '../../ronasmis/src/run/run-record.ts';
import { writeDicomSeries } from '../../ronasmis/test/formats/dicom-fixtures.ts';
import { items, readSegmentation } from '../../ronasmis/test/formats/segmentation.ts';
import { writeRun, writeScan } from '../../ronasmis/test/inference/predicting.ts';
import { child, labels, storedWeights } from '../../ronasmis/test/inference/tiny-run.ts';
import { predictingNames, spaceWeights } from '../../ronasmis/test/network/peer.ts';
import { tinyContext } from '../../ronasmis/test/search/tiny-context.ts';
import { serveFiles } from '../src/server/files.ts';
import type { LoopbackServer } from '../src/server/listen.ts';
import { isThere, launch, openPage, violationsOn, why } from './chromium.ts';
import { temporaryFolder } from './run-folders.ts';

const root = await temporaryFolder();
const scan = await writeScan(join(root, 'scan.nii.gz'));

/** Runs whose networks see a scan in one pass as it is, and turned, resampled and in mirrored windows. */
const runs = {
  plain: await writeRun(storedWeights),
  resampled: await writeRun(storedWeights, { orientation: 'RAS', spacing: [2, 1.3, 0.7] }),
};

/** Chooses files, or a folder. */
async function give(
  page: Page,
  paths: string | readonly string[],
  what: 'files' | 'a folder' = 'files',
): Promise<void> {
  await page.getByLabel(`Choose ${what}`).setInputFiles(typeof paths === 'string' ? paths : [...paths]);
}

async function segment(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Segment', exact: true }).click();
  await page.getByRole('heading', { name: 'Result' }).waitFor();
}

/** Has the page save, and gives the path of what it saved. */
async function save(page: Page, button: string): Promise<string> {
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: button }).click();
  const download = await downloading;
  const path = join(await mkdtemp(join(root, 'saved-')), download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

/** The label map that `predict` writes of a scan, in one pass in float32. */
async function predicted(run: string, input: string): Promise<Volume> {
  const out = await mkdtemp(join(root, 'predicted-'));
  const [{ output }] = await predict({ run, inputs: [input], out, device: 'cpu', precision: 'fp32' });
  return readVolume(output);
}

/** Any file server, with no header but the type of a file. */
async function servePlainly(folder: string) {
  const types: Readonly<Record<string, string>> = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
  };
  const server = createServer(({ url = '/' }, response) => {
    const name = url === '/' ? 'index.html' : url.slice(1);
    readFile(join(folder, name)).then(
      (bytes) => response.writeHead(200, { 'Content-Type': types[extname(name)] ?? '' }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { address: `http://127.0.0.1:${port}/`, close };
}

const differing = (one: Volume, other: Volume): number =>
  Array.from(one.data).filter((value, voxel) => value !== other.data[voxel]).length;

function expectSameLabelMap(found: Volume, expected: Volume): void {
  expect({ shape: found.shape, affine: found.affine }).toEqual({ shape: expected.shape, affine: expected.affine });
  expect(new Set(expected.data).size).toBeGreaterThan(1);
  expect(differing(found, expected)).toBe(0);
}

/** Against what hangs, in milliseconds: a browser that draws volumes without a GPU takes long on a machine that has other work. */
const patience = 600_000;

// Half a minute of a browser without a GPU.
describe.skipIf(!isThere)(`the exported page in a browser${why}`, () => {
  let browser: Browser;
  const pages = new Map<string, LoopbackServer>();
  const open = async (name: keyof typeof runs, options: Parameters<Browser['newPage']>[0] = {}) => {
    const { address } = pages.get(name) ?? { address: '' };
    const opened = await openPage(browser, address, options);
    await opened.page.locator('[data-state=waiting]').waitFor();
    return opened;
  };

  beforeAll(async () => {
    for (const [name, run] of Object.entries(runs)) {
      const out = join(root, name);
      expect(await exportWeb({ run, out })).toMatchObject({ output: out, check: { kind: 'agrees' } });
      pages.set(name, await serveFiles({ folder: out, port: 0 }));
    }
    browser = await launch();
  }, patience);
  afterAll(async () => {
    await browser?.close();
    for (const page of pages.values()) await page.close();
  });

  it.each(Object.keys(runs))(
    'gives the label map that predict gives, and asks nobody else for anything: %s',
    async (name) => {
      const which = name === 'plain' ? 'plain' : 'resampled';
      const context = await browser.newContext();
      const asked: string[] = [];
      context.on('request', (request) => asked.push(request.url()));
      const page = await context.newPage();
      page.setDefaultTimeout(patience);
      const wrong: string[] = [];
      page.on('pageerror', ({ message }) => wrong.push(message));
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) wrong.push(message.text());
      });
      const { address } = pages.get(which) ?? { address: '' };
      await page.goto(address);
      await give(page, scan);
      await page.getByText('of the network').waitFor();
      await segment(page);
      const found = await readVolume(await save(page, 'Save as NIfTI'));
      expectSameLabelMap(found, await predicted(runs[which], scan));
      await page.locator('[data-shown="scan and segmentation"]').waitFor();
      expect(asked.some((url) => url.endsWith('model.onnx')) && asked.some((url) => url.endsWith('.wasm'))).toBe(true);
      expect(asked.filter((url) => !url.startsWith(address) && !url.startsWith(`blob:${address}`))).toEqual([]);
      expect(wrong).toEqual([]);
      // Nor could it: the page's own policy refuses it, whoever serves it.
      const sending = `fetch('https://example.org/', { mode: 'no-cors' }).then(() => 'sent', () => 'refused')`;
      expect(await page.evaluate(sending)).toBe('refused');
      await context.close();
    },
    patience,
  );

  it(
    'says in a sentence what is wrong with a file, and takes the next one',
    async () => {
      const { page } = await open('plain');
      const bytes = await readFile(scan);
      const broken: readonly (readonly [string, Uint8Array, RegExp])[] = [
        [
          'cut.nii.gz',
          bytes.subarray(0, bytes.length / 2),
          /^cut\.nii\.gz: the file is truncated .* Copy or export it/,
        ],
        [
          'text.nii',
          Buffer.from('no scan at all, but longer than any header has to be'.repeat(20)),
          /this is not a NIfTI/,
        ],
        ['empty.nii.gz', Buffer.alloc(0), /^empty\.nii\.gz: the file is empty\./],
        [
          'letter.txt',
          Buffer.from('Dear colleague'),
          /^letter\.txt: this is no NIfTI file and no DICOM\. Give a \.nii/,
        ],
      ];
      for (const [name, content, sentence] of broken) {
        const file = join(root, name);
        await writeFile(file, content);
        await give(page, file);
        await page.getByRole('alert').filter({ hasText: sentence }).waitFor();
      }
      await give(page, scan);
      await page.getByRole('button', { name: 'Segment', exact: true }).waitFor();
      expect(await page.getByRole('alert').count()).toBe(0);
      await page.getByText('it is not a medical device').waitFor();
      await page.getByText(/takes about \d+ MiB .*, in 1 pass of the network\./).waitFor();
      await page.getByLabel('memory for the network').fill('0.02');
      await page.keyboard.press('Tab');
      await page.getByRole('alert').filter({ hasText: 'memory does not suffice for it' }).waitFor();
      await page.close();
    },
    patience,
  );

  it(
    'takes a folder of DICOM, and saves a DICOM Segmentation that refers to it',
    async () => {
      const series = await writeDicomSeries(root);
      const { page, wrong } = await open('plain');
      await give(page, series, 'a folder');
      await segment(page);
      const expected = await predicted(runs.plain, series);
      expectSameLabelMap(await readVolume(await save(page, 'Save as NIfTI')), expected);
      const { dataset, text, frames } = readSegmentation(
        await readFile(await save(page, 'Save as DICOM Segmentation')),
      );
      expect(items(dataset, 'SegmentSequence').map((item) => text('SegmentLabel', item))).toEqual([
        'label 2',
        'label 5',
      ]);
      const voxels = frames.reduce((sum, { pixels }) => sum + pixels.reduce((all, bit) => all + bit, 0), 0);
      expect(voxels).toBe(Array.from(expected.data).filter((value) => value !== labels[0].value).length);
      expect(wrong).toEqual([]);
      await page.close();
    },
    patience,
  );

  it(
    'takes a file for each channel, from a file server that isolates no page',
    async () => {
      const dimensions = { ...tinyContext.dimensions, inputChannels: 2 };
      const names = predictingNames(networkOf(child, dimensions));
      const weights = spaceWeights('macro', dimensions, 4);
      const stored = new Map(names.map((name) => [name, weight(weights, name)]));
      const run = await writeRun(stored, { network: recordDimensions(dimensions), channel_files: true });
      const { shape, data, prefix } = await readVolume(scan);
      const files = [join(root, 'patient_0000.nii.gz'), join(root, 'patient_0001.nii.gz')];
      await writeNifti(files[0], { shape, data, prefix });
      await writeNifti(files[1], { shape, data: data.map((value) => value ** 2), prefix });
      const out = join(root, 'channels');
      await exportWeb({ run, out });
      const { address, close } = await servePlainly(out);
      const { page, wrong } = await openPage(browser, address);
      expect(await page.evaluate('crossOriginIsolated')).toBe(false);
      await give(page, files.slice(1));
      await page.getByRole('alert').filter({ hasText: 'patient_0000 is not there. Add or remove files.' }).waitFor();
      await give(page, files.toReversed());
      await segment(page);
      const [{ output }] = await predict({
        run,
        inputs: files,
        out: join(root, 'two'),
        device: 'cpu',
        precision: 'fp32',
      });
      const saved = await save(page, 'Save as NIfTI');
      expect(basename(saved)).toBe(basename(output));
      expectSameLabelMap(await readVolume(saved), await readVolume(output));
      // Nor does it know WebAssembly by its name, which is compiled another way then.
      expect(wrong.filter((text) => !/wasm streaming|ArrayBuffer instantiation/.test(text))).toEqual([]);
      await page.close();
      await close();
    },
    patience,
  );

  it(
    'computes by WebGPU where the browser has an adapter, all but the same',
    async ({ skip }) => {
      const other = await launch(
        '--enable-unsafe-webgpu',
        '--use-webgpu-adapter=swiftshader',
        '--enable-features=Vulkan',
      );
      const { page } = await openPage(other, pages.get('plain')?.address ?? '');
      const asked = await page.evaluate('navigator.gpu?.requestAdapter().then((one) => one !== null) ?? false');
      if (asked !== true) await other.close();
      skip(asked !== true, 'this Chromium has no adapter of WebGPU');
      await give(page, scan);
      await page.getByLabel('by').selectOption('webgpu');
      await segment(page);
      const found = await readVolume(await save(page, 'Save as NIfTI'));
      // Of 2618 voxels: rounding, at the borders of structures.
      expect(differing(found, await predicted(runs.plain, scan))).toBeLessThan(5);
      await other.close();
    },
    patience,
  );

  it(
    'is for everyone: by the keyboard alone, at any width, light and dark',
    async () => {
      const { page } = await open('plain');
      expect(await violationsOn(page)).toEqual([]);
      await give(page, scan);
      const button = page.getByRole('button', { name: 'Segment', exact: true });
      await button.waitFor();
      await page.getByLabel('Choose a folder').focus();
      const isThere = `document.activeElement?.textContent === 'Segment'`;
      for (let presses = 0; presses < 10 && !(await page.evaluate(isThere)); presses++)
        await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Result' }).waitFor();
      await page.locator('[data-shown="scan and segmentation"]').waitFor();
      for (const width of [1280, 390]) {
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.setViewportSize({ width, height: 850 });
          await page.emulateMedia({ colorScheme });
          expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
          expect([width, colorScheme, await violationsOn(page)]).toEqual([width, colorScheme, []]);
        }
      }
      await page.close();
    },
    patience,
  );
});

describe('the server of an exported page', () => {
  it('gives the files of its folder alone, to this machine alone, and takes nothing', async () => {
    const folder = join(root, 'served');
    await mkdir(join(folder, 'assets'), { recursive: true });
    await writeFile(join(root, 'secret.txt'), 'secret');
    await writeFile(join(folder, 'index.html'), '<!doctype html>');
    await writeFile(join(folder, 'assets', 'a b.js'), 'export {};');
    const server = await serveFiles({ folder, port: 0 });
    const status = async (path: string, init: RequestInit = {}): Promise<number> =>
      (await fetch(new URL(path, server.address), init)).status;
    const whole = await fetch(server.address);
    expect([whole.status, await whole.text()]).toEqual([200, '<!doctype html>']);
    expect(whole.headers.get('content-security-policy')).toContain("connect-src 'self'");
    expect(whole.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(await status('assets/a%20b.js')).toBe(200);
    for (const path of [
      'none.js',
      'assets',
      '..%2fsecret.txt',
      '%2e%2e/secret.txt',
      'assets/..%2f..%2fsecret.txt',
      '%00',
      '%',
    ])
      expect([path, await status(path)]).toEqual([path, 404]);
    expect(await status('', { method: 'POST', body: 'scan' })).toBe(405);
    expect(await status('', { headers: { origin: 'https://example.org' } })).toBe(403);
    await server.close();
  });
});
