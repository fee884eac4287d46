import { mkdir, mkdtemp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readGrid, readVolume } from '../../src/formats/read-volume.ts';
import { statedSizes } from '../../src/formats/volume.ts';
import { expectedValues, refusal } from './reading.ts';
import { scanFixtures, writeScanFixture } from './scan-fixtures.ts';
import { temporaryFolder } from './scans.ts';

const root = await temporaryFolder();

/** A fixture moved to `header` in a new folder, with its voxels in `voxels`, which the header names as `named`. */
async function moved(fixture: string, header: string, voxels: string, named: string): Promise<string> {
  const path = await writeScanFixture(root, fixture);
  const folder = await mkdtemp(join(root, 'moved-'));
  for (const file of [header, voxels]) await mkdir(dirname(join(folder, file)), { recursive: true });
  const text = await readFile(path, 'utf8');
  const [own] = (await readdir(dirname(path))).filter((name) => /raw/.test(name));
  await rename(join(dirname(path), own), join(folder, voxels));
  await writeFile(join(folder, header), text.replace(own, named));
  return join(folder, header);
}

const [meta, nrrd] = ['MetaImage header and voxels', 'NRRD header and voxels'];

test.each([
  [meta, 'headers/a.mhd', 'x.raw', '../x.raw'],
  [meta, 'headers/a.mhd', 'x.raw', '..\\x.raw'],
  [meta, 'a.mhd', 'deeper/x.raw', 'deeper/x.raw'],
  [meta, 'a.mhd', '100%.raw', '100%.raw'],
  [meta, 'a.mhd', 'a%20b.raw', 'a%20b.raw'],
  [meta, 'a.mhd', '%d.raw', '%d.raw'],
  [meta, 'A.MHD', 'x.raw', 'x.raw'],
  [meta, 'headers/a.Mhd', 'Größe x.raw', '../Größe x.raw'],
  ['MetaImage header and compressed voxels', 'headers/a.mhd', 'x.zraw', '../x.zraw'],
  [nrrd, 'headers/a.nhdr', 'x.raw', '../x.raw'],
  [nrrd, 'A.NHDR', '100%.raw', '100%.raw'],
  ['NRRD header and compressed voxels', 'headers/a.nhdr', 'x.raw.gz', '../x.raw.gz'],
])('%s: %s, whose voxels in %s it calls %s', async (fixture, header, voxels, named) => {
  const path = await moved(fixture, header, voxels, named);
  expect([...(await readVolume(path)).data]).toEqual(expectedValues(fixture));
  expect(statedSizes(await readGrid(path))).toEqual(scanFixtures.find(({ name }) => name === fixture)?.shape);
});

test.each<[string, string, (files: readonly string[]) => string]>([
  [meta, 'a.mhd', (files) => `LIST\n${files.join('\n')}`],
  [meta, 'a.mhd', () => '../%02d.raw 1 2 1'],
  [nrrd, 'a.nhdr', () => '../%02d.raw 1 2 1 2'],
  [nrrd, 'a.nhdr', () => '../%02d.raw 2 1 -1 2'],
])('%s: %s, with a file for each slice', async (fixture, header, naming) => {
  const path = await moved(fixture, join('headers', header), 'x.raw', 'PLACE');
  const voxels = await readFile(join(dirname(path), '..', 'x.raw'));
  const slices = [voxels.subarray(0, voxels.length / 2), voxels.subarray(voxels.length / 2)];
  const files = ['../01.raw', '../02.raw'];
  await Promise.all(files.map((file, i) => writeFile(join(dirname(path), file), slices[i])));
  await writeFile(path, (await readFile(path, 'utf8')).replace('PLACE', naming(files)));
  const values = expectedValues(fixture) ?? [];
  const backwards = naming(files).includes('-1');
  const half = values.length / 2;
  expect([...(await readVolume(path)).data]).toEqual(
    backwards ? [...values.slice(half), ...values.slice(0, half)] : values,
  );
});

test('voxels that are not where the header says are named', async () => {
  const path = await moved(meta, 'headers/a.mhd', 'x.raw', '../other.raw');
  expect(await refusal(path)).toMatch(
    /a\.mhd: its voxels are to be in \.\.\/other\.raw, which is not there\. Copy it too\.$/,
  );
});
