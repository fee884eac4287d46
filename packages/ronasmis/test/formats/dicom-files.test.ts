import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { type FileBytes, openSeries } from '../../src/formats/dicom-files.ts';
import { readSourceSeries } from '../../src/formats/dicom-series.ts';
import { readVolume } from '../../src/formats/read-volume.ts';
import { dicomFixtures, writeDicomSeries } from './dicom-fixtures.ts';
import { writeScanFixture } from './scan-fixtures.ts';
import { temporaryFolder } from './scans.ts';

const root = await temporaryFolder();

/** @throws where it does not end in a sentence for the user */
const refusal = (folder: string, files: readonly FileBytes[]): string => {
  try {
    openSeries(folder, files);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error('It was taken.');
};

const filesOf = async (folder: string): Promise<readonly FileBytes[]> =>
  Promise.all(
    (await readdir(folder)).map(async (name) => ({
      file: join(folder, name),
      bytes: new Uint8Array(await readFile(join(folder, name))),
    })),
  );

test.each(['DICOM', 'DICOM without types', 'DICOM with sequences and a long header'])(
  'a series in memory is the volume that ITK reads: %s',
  async (fixture) => {
    const folder = await writeScanFixture(root, fixture);
    const { volume } = openSeries(folder, await filesOf(folder));
    const { data, affine, shape } = await readVolume(folder);
    expect({ data: Array.from(volume.data), affine: volume.affine, shape: volume.shape }).toEqual({
      data: Array.from(data, Math.fround),
      affine,
      shape,
    });
  },
);

test.each(dicomFixtures.series)('a segmentation takes the same over from it: $name', async (fixture) => {
  const folder = await writeDicomSeries(root, fixture);
  const files = [...(await filesOf(folder)), { file: 'notes.txt', bytes: new TextEncoder().encode('none') }];
  const { volume, source } = openSeries(folder, files);
  expect(source()).toEqual(await readSourceSeries(folder));
  expect(Array.from(volume.data)).toEqual(Array.from((await readVolume(folder)).data));
});

test('what is no DICOM, is compressed or is cut is refused in a sentence', async () => {
  const folder = await writeScanFixture(root, 'DICOM, compressed');
  const compressed = await filesOf(folder);
  expect(refusal(folder, compressed)).toMatch(/its pixels are compressed, .* Export the series uncompressed/);
  const whole = await filesOf(await writeScanFixture(root, 'DICOM'));
  const cut = whole.map(({ file, bytes }) => ({ file, bytes: bytes.subarray(0, bytes.length - 20) }));
  expect(refusal('series', cut)).toMatch(/the file is truncated/);
  expect(refusal('series', [])).toMatch(/^series: it holds no DICOM slice/);
  const named = [{ file: 'x.dcm', bytes: new Uint8Array() }];
  expect(refusal('series', named)).toMatch(/x\.dcm: this is not a DICOM file/);
});
