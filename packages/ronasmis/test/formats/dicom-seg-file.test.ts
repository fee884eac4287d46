import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dicomMaker, isMarked, writeDicomSegmentation } from '../../src/formats/dicom-seg-file.ts';
import { readSourceSeries } from '../../src/formats/dicom-series.ts';
import { dicomFixtures, writeDicomSeries } from './dicom-fixtures.ts';
import { temporaryFolder } from './scans.ts';

const root = await temporaryFolder();
const series = await writeDicomSeries(root);
const maker = { run: '0123456789abcdef', scan: 'fedcba9876543210' };
const file = join(await mkdtemp(join(root, 'out-')), 'a.dcm');
await writeDicomSegmentation(file, {
  source: await readSourceSeries(series),
  data: Uint8Array.from(dicomFixtures.labels),
  segments: [{ value: 2, name: 'a' }],
  maker,
});

test('a file says who made it until any byte of it is changed', async () => {
  expect([await dicomMaker(file), await isMarked(file)]).toEqual([maker, true]);
  const bytes = await readFile(file);
  const changed = join(root, 'changed.dcm');
  for (const at of [0, 60, 132, 700, bytes.length - 1]) {
    const other = Buffer.from(bytes);
    other[at] ^= 1;
    await writeFile(changed, other);
    expect(await dicomMaker(changed), `byte ${at}`).toBe(undefined);
  }
  expect(await isMarked(changed)).toBe(true);
});

test('a slice of a series, and what is not there, are nobody of ours', async () => {
  for (const other of [join(series, '1'), join(series, 'nowhere')])
    expect([await dicomMaker(other), await isMarked(other)]).toEqual([undefined, false]);
});
