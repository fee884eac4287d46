import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { readSeriesGrid, readSourceSeries } from '../../src/formats/dicom-series.ts';
import { dicomFixtures, writeDicomSeries } from './dicom-fixtures.ts';
import { edit } from './reading.ts';
import { temporaryFolder } from './scans.ts';

const root = await temporaryFolder();

test('slices come in the order in which a volume has them, with what their headers say', async () => {
  const folder = await writeDicomSeries(root);
  const source = await readSourceSeries(folder);
  expect(source.slices.map(({ sopInstance }) => sopInstance)).toEqual([
    '1.2.3.4.3',
    '1.2.3.4.1',
    '1.2.3.4.4',
    '1.2.3.4.2',
  ]);
  const { affine, shape } = await readSeriesGrid(folder);
  expect(shape).toEqual([4, 3, 5]);
  source.slices.forEach(({ at }, z) => {
    const place = affine.slice(0, 3).map((row) => row[2] * z + row[3]);
    for (const [axis, sign] of [-1, -1, 1].entries()) expect(at[axis]).toBeCloseTo(sign * place[axis], 6);
  });
  expect(source).toMatchObject({ series: '1.2.3.2', number: 3, rows: 3, columns: 5, thickness: '2.5' });
  expect(source.copied).toMatchObject({
    PatientName: 'Müller^Jörg',
    PatientSex: 'F',
    PatientAge: '070Y',
    PatientSize: undefined,
    StudyDate: '20200102',
    AccessionNumber: 'A1',
    LossyImageCompression: '00',
  });
});

/** Every slice with other bytes in place of some. */
async function spoiled(from: string, to: string, files?: readonly string[]): Promise<string> {
  const folder = await writeDicomSeries(root, dicomFixtures.series[1]);
  for (const file of files ?? (await readdir(folder))) await edit(join(folder, file), from, to);
  return folder;
}

test.each<[string, () => Promise<string>, RegExp]>([
  [
    'no frame of reference',
    () => spoiled(' \x00R\x00UI', ' \x00S\x00UI'),
    /\/3: it has no Frame of Reference UID, which a DICOM Segmentation of it has to state\. Export/,
  ],
  [
    'two of them',
    () => spoiled('1.2.3.3', '1.2.3.9', ['1']),
    /\/1: its Frame of Reference UID is not that of .*\/3\. Keep the slices of one volume/,
  ],
  [
    'an unknown character set',
    () => spoiled('ISO_IR 100', 'ISO_IR 999'),
    /\/3: its texts are .* \("ISO_IR 999"\)\. Ex/,
  ],
])('a series of %s is refused', async (_, spoil, sentence) => {
  const error = await readSourceSeries(await spoil()).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  expect(String(error)).toMatch(sentence);
});
