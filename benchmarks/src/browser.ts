import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Page } from 'playwright-core';
import { type DataSet, readDataSet, readVolume } from 'ronasmis/data';
import { type Bench, say } from './bench.ts';
import { type Backend, chromiumPath, hasGpu, launchChromium, peakBytesOf } from './chromium.ts';
import { ronasmis, serving } from './command.ts';
import { dataFolders, testCases } from './data.ts';
import { type Row, ratioRow } from './row.ts';

/** Against what hangs: a GPU that is emulated takes long. */
const patienceMilliseconds = 1_200_000;
const backends: readonly Backend[] = ['wasm', 'webgpu'];
const most = 4;

/**
 * A held-out scan of each of the data sets, the smallest four of them, segmented in a browser by the page that `export --format web` writes, and
 * by `predict` in float32: how many voxels agree, what it takes of time and memory.
 */
export async function browser(bench: Bench): Promise<readonly Row[]> {
  if (chromiumPath === undefined || dataFolders().length === 0) {
    say(
      'Left out: the browser, for there is no Chromium (RONASMIS_TEST_CHROMIUM), or RONASMIS_TEST_DATA names no data.',
    );
    return [];
  }
  const rows: Row[] = [];
  for (const dataSet of await smallestDataSets()) rows.push(...(await measureDataSet(dataSet, bench)));
  return rows;
}

async function smallestDataSets(): Promise<readonly DataSet[]> {
  const sets = await Promise.all(dataFolders().map((folder) => readDataSet(folder)));
  const sized = await Promise.all(
    sets.map(async (dataSet) => ({ dataSet, bytes: (await stat(dataSet.cases[0].images[0])).size })),
  );
  return sized
    .toSorted((one, other) => one.bytes - other.bytes)
    .slice(0, most)
    .map(({ dataSet }) => dataSet);
}

async function measureDataSet(dataSet: DataSet, { temporary }: Bench): Promise<readonly Row[]> {
  const name = basename(dataSet.folder);
  const folder = (what: string): string => join(temporary, `${name}-${what}`);
  const [{ images }] = testCases({ dataSet, real: true }, 1);
  say(`browser: ${name}, a search of a minute`);
  const trained = ['--fold', '0', '--time', '60s', '--seed', '1', '--space', 'fixed'];
  await ronasmis('search', dataSet.folder, '--out', folder('run'), ...trained);
  await ronasmis('export', folder('run'), '--format', 'web', '--out', folder('page'));
  const exactly = ['--device', 'cpu', '--precision', 'fp32'];
  const seconds = await ronasmis('predict', folder('run'), ...images, '--out', folder('predicted'), ...exactly);
  const expected = await readVolume(join(folder('predicted'), labelMapName(images[0])));
  const rows: Row[] = [];
  for (const backend of backends) {
    const found = await segmentInBrowser(folder('page'), images, folder(backend), backend);
    if (found === undefined) {
      say(`Left out: ${name} by ${backend}, for this Chromium has none.`);
      continue;
    }
    const { data } = await readVolume(found.output);
    const same = Array.from(data).filter((value, voxel) => value === expected.data[voxel]).length;
    const by = backend === 'webgpu' && !hasGpu() ? 'webgpu, emulated' : backend;
    say(
      `browser: ${name} by ${by}: ${data.length - same} of ${data.length} voxels differ, peak ${(found.peakBytes / 2 ** 20).toFixed(0)} MiB`,
    );
    const row = ratioRow(
      `voxels of a scan of ${name} as by predict, in the browser by ${by}`,
      'predict',
      same / data.length,
      { atLeast: 0.999 },
    );
    rows.push({ ...row, ours_seconds: found.seconds, theirs_seconds: seconds });
  }
  return rows;
}

/** What `predict` calls the label map of a scan of one file, or of the first of several channels. */
const labelMapName = (image: string): string => basename(image).replace(/_0000(?=\.nii)/, '');

interface Found {
  readonly output: string;
  /** From the order to segment to the result. */
  readonly seconds: number;
  /** Of the processes that compute. */
  readonly peakBytes: number;
}

/** Segments a scan as a user does; undefined where the browser does not know the backend. */
async function segmentInBrowser(
  folder: string,
  images: readonly string[],
  out: string,
  backend: Backend,
): Promise<Found | undefined> {
  const browser = await launchChromium(backend);
  const server = await serving('serve', folder);
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(patienceMilliseconds);
    await page.goto(server.address);
    await page.getByLabel('Choose files').setInputFiles([...images]);
    const button = page.getByRole('button', { name: 'Segment', exact: true });
    await button.waitFor();
    if (!(await choose(page, backend))) return undefined;
    const started = performance.now();
    await button.click();
    await page.getByRole('heading', { name: 'Result' }).waitFor();
    const seconds = (performance.now() - started) / 1000;
    const peakBytes = await peakBytesOf(browser);
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as NIfTI' }).click();
    const output = join(out, (await downloading).suggestedFilename());
    await (await downloading).saveAs(output);
    return { output, seconds, peakBytes };
  } finally {
    await browser.close();
    server.stop();
  }
}

async function choose(page: Page, backend: Backend): Promise<boolean> {
  if (backend === 'wasm') return true;
  const has = await page.evaluate('navigator.gpu?.requestAdapter().then((one) => one !== null) ?? false');
  if (has === true) await page.getByLabel('by').selectOption(backend);
  return has === true;
}
