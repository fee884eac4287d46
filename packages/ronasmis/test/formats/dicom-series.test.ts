import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readVolume } from '../../src/formats/read-volume.ts';
import { listScans } from '../../src/formats/scan-files.ts';
import { edit, refusal, shorten } from './reading.ts';
import { writeScanFixture } from './scan-fixtures.ts';
import { temporaryFolder } from './scans.ts';

const root = await temporaryFolder();
const stored = (name: string): Promise<string> => writeScanFixture(root, name);

/** Without the 128 bytes and the mark; or without the transfer syntax, too. */
const cut = {
  'the preamble': (bytes: Buffer) => bytes.subarray(132),
  'all in front of the elements': (bytes: Buffer) => bytes.subarray(132 + 12 + bytes.readUInt32LE(132 + 8)),
};
test.each([
  ['DICOM', 'the preamble', 3],
  ['DICOM', 'the preamble', 1],
  ['DICOM', 'all in front of the elements', 3],
  ['DICOM without types', 'the preamble', 2],
  ['DICOM without types', 'all in front of the elements', 3],
  ['DICOM, compressed', 'the preamble', 3],
  ['DICOM with sequences and a long header', 'all in front of the elements', 3],
] as const)('%s without %s in %d of its slices', async (fixture, what, count) => {
  const path = await stored(fixture);
  const whole = await readVolume(path);
  for (const slice of (await readdir(path)).slice(0, count))
    await writeFile(join(path, slice), cut[what](await readFile(join(path, slice))));
  expect(await listScans(dirname(path))).toEqual([path]);
  const { data, affine, shape } = await readVolume(path);
  expect({ data, affine, shape }).toEqual({ data: whole.data, affine: whole.affine, shape: whole.shape });
});

test.skipIf(process.platform !== 'linux')('a slice whose name is no UTF-8 is not dropped', async () => {
  const path = await stored('DICOM');
  await rename(join(path, '2'), Buffer.concat([Buffer.from(`${path}/`), Buffer.from('Müller', 'latin1')]));
  await expect(readVolume(path)).rejects.toThrow(/series.M\uFFFDller: its name is not written in UTF-8/);
});

test.each<[string, (series: string) => Promise<unknown>, RegExp]>([
  ['a truncated slice', (series) => shorten(join(series, '0'), 20), /series.0: the file is truncated\. Copy or/],
  ['a truncated header', (series) => shorten(join(series, '0'), 300), /series.0: the file is truncated\. Copy or/],
  [
    'a file that says only in its name that it is DICOM',
    (series) => writeFile(join(series, 'x.dcm'), ''),
    /x\.dcm: this is not/,
  ],
  ['a slice twice', (series) => cp(join(series, '0'), join(series, '3')), /series.3: it lies where .*series.0 lies\./],
  [
    'uneven steps',
    (series) => edit(join(series, '2'), '\\30.5', '\\32.5'),
    /series.0: it lies 1\.\d+ mm from where even steps/,
  ],
  [
    'two series',
    (series) => edit(join(series, '0'), '.498.2', '.498.7'),
    /series: it holds 2 DICOM series\. Give each/,
  ],
  [
    'another size',
    (series) => edit(join(series, '0'), '(\0\x10\0US\x02\0\x04', '(\0\x10\0US\x02\0\x02'),
    /series.[12]: it differs from .*series.0 in size/,
  ],
  [
    'no positions',
    (series) => edit(join(series, '0'), ' \x002\0DS', ' \x003\0DS'),
    /series.0: it does not say where its slice lies/,
  ],
  [
    'big-endian slices',
    (series) => edit(join(series, '0'), '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2'),
    /series.0: it is stored big-endian or/,
  ],
  [
    'several frames',
    (series) => edit(join(series, '0'), '(\0\x02\0US\x02\0\x01', '(\0\x02\0US\x02\0\x03'),
    /series.0: it is a colour image\. Give/,
  ],
  [
    'a single slice',
    (series) => Promise.all(['0', '1'].map((file) => rm(join(series, file)))),
    /series: it holds a single DICOM slice\. Give the folder/,
  ],
])('a DICOM series with %s', async (_, spoil, sentence) => {
  const series = await stored('DICOM');
  await spoil(series);
  expect(await refusal(series)).toMatch(sentence);
});

test('other folders and a file of a series', async () => {
  expect(await refusal(await mkdtemp(join(root, 'empty-')))).toMatch(/it holds no DICOM slice\. Give the folder/);
  const series = await stored('DICOM');
  await writeFile(join(series, 'notes.txt'), 'a file that is not DICOM');
  expect((await readVolume(series)).shape).toEqual([3, 4, 5]);
  expect(await refusal(join(series, '1'))).toMatch(/this is one DICOM file\. Give the folder of its series\./);
});
