import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { checkDataSet } from '../../src/data/check.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { inspectionPage, pickCases } from '../../src/report/inspection.ts';
import { boxCase, realDataSets, type TestCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const folder = join(await temporaryFolder(), 'boxes');
const sizes = [20, 21, 22, 23, 24, 25, 70];
const cases = sizes.map((width, i) => boxCase(`case${i}`, createRandom(i), [width, 20, 12], 2));
const overrides = {
  name: 'Kid<neys>',
  modality: { 0: 'T1', 1: 'T2 & more' },
  labels: { 0: 'background', 1: 'box', 2: 'core <inner>' },
};

beforeEach(() => rm(folder, { recursive: true, force: true }));

async function inspected(written: readonly TestCase[], folds = 2) {
  await writeDataSet(folder, written, overrides);
  const dataSet = await readDataSet(folder);
  const result = await checkDataSet(dataSet, { folds });
  return { result, page: await inspectionPage(dataSet, result) };
}

function expectWellFormed(page: string): void {
  expect(page).toMatch(/^<!doctype html>/);
  expect(page).not.toMatch(/<script|<link|https?:|url\((?!#)/);
  // Four letters of a picture's bytes may spell anything.
  expect(page.replaceAll(/base64,[\w+/=]+/g, '')).not.toMatch(/undefined|NaN|Infinity|\[object/);
  for (const name of ['section', 'svg', 'g', 'figure', 'table', 'tr', 'td', 'th', 'div', 'span', 'i', 'p', 'details']) {
    const count = (pattern: string) => [...page.matchAll(new RegExp(pattern, 'g'))].length;
    expect(count(`<${name}[ >]`), name).toBe(count(`</${name}>`));
  }
}

describe('the page of a data set', () => {
  it('requests nothing, and has every case in each row of dots, in another colour where it has a warning', async () => {
    const { page } = await inspected(cases);
    expectWellFormed(page);
    expect(page).toContain(
      'imagesTr/case6.nii.gz: its size of 70 x 20 x 12 voxels is far from the median, 23 x 20 x 12',
    );
    const dots = [...page.matchAll(/<i class="dot ([a-z]*)"[^>]*data-label="([^ ]+) · ([^"]+)"/g)];
    // Sizes and spacings along three axes, three percentiles of two channels, two classes.
    expect(dots).toHaveLength(sizes.length * (3 + 3 + 2 * 3 + 2));
    expect(dots.every(([, tone, name]) => (tone === 'warm') === (name === 'case6'))).toBe(true);
    expect(dots.slice(0, sizes.length).map(([, , , value]) => Number(value))).toEqual(sizes);
  });

  it('escapes names, and has the tables', async () => {
    const { page } = await inspected(cases);
    for (const text of [
      'Kid&lt;neys&gt;',
      'T2 &amp; more',
      'core &lt;inner&gt;',
      '>20 x 20 x 12<',
      '>70 x 20 x 12<',
      '>RAS<',
    ])
      expect(page).toContain(text);
    expect(page).not.toContain('<inner>');
  });

  it('shows the smallest, the median and the largest case with the contours of every class', async () => {
    const { page, result } = await inspected(cases);
    expect(pickCases(result)).toEqual([
      { name: 'case0', why: 'Smallest' },
      { name: 'case3', why: 'Median size' },
      { name: 'case6', why: 'Largest' },
    ]);
    expect([...page.matchAll(/class="reference class0"/g)]).toHaveLength(3);
    expect([...page.matchAll(/class="reference class1"/g)]).toHaveLength(3);
    expect([...page.matchAll(/slice 7 of 12/g)]).toHaveLength(3);
  });

  it('shows cases with a warning too, but three at most', async () => {
    const far = [60, 61, 62, 63, 64].map((width, i) => boxCase(`far${i}`, createRandom(50 + i), [width, 20, 12], 2));
    const many = [...Array(14).keys()].map((i) => boxCase(`case${i}`, createRandom(i), [15, 20, 12], 2));
    const { result } = await inspected([...many, ...far]);
    expect(
      pickCases(result)
        .filter(({ why }) => why === 'With a warning')
        .map(({ name }) => name),
    ).toEqual([...['far0', 'far1', 'far2']]);
  });

  it('thins out large slices: every so many voxels', async () => {
    const wide = boxCase('wide', createRandom(1), [600, 9, 4]);
    await writeDataSet(folder, [wide, boxCase('b', createRandom(2)), boxCase('c', createRandom(3))]);
    const dataSet = await readDataSet(folder);
    const page = await inspectionPage(dataSet, await checkDataSet(dataSet, { folds: 2 }));
    const pngs = [...page.matchAll(/href="data:image\/png;base64,([^"]+)"/g)].map(([, data]) =>
      decode(Buffer.from(data, 'base64')),
    );
    expect(pngs.map(({ width, height }) => [width, height])).toContainEqual([200, 3]);
    expect(page).toContain('style="aspect-ratio:200 / 3"');
  });

  it('is a list of errors where no case could be read', async () => {
    await writeDataSet(folder, cases.slice(0, 1));
    await writeFile(join(folder, 'imagesTr', 'case0.nii.gz'), 'nothing');
    const dataSet = await readDataSet(folder);
    const page = await inspectionPage(dataSet, await checkDataSet(dataSet, { folds: 2 }));
    expectWellFormed(page);
    expect(page.match(/<span class="key warm">error<\/span>/g)).toHaveLength(2);
    expect(page).not.toContain('Every case');
  });
});

it.skipIf(realDataSets.length === 0)(
  'pages of real data sets are light (needs RONASMIS_TEST_DATA)',
  async () => {
    for (const real of realDataSets) {
      const dataSet = await readDataSet(real);
      const page = await inspectionPage(dataSet, await checkDataSet(dataSet, { folds: 5 }));
      expectWellFormed(page);
      expect(page.length).toBeLessThan(2e6);
    }
  },
  120_000,
);
