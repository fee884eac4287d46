import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readNifti, writeNifti } from '../../src/data/nifti.ts';
import { readGrid, readLabelMap, readStored, readVolume } from '../../src/data/read-volume.ts';
import { caseName, listScans } from '../../src/data/scan-files.ts';
import { UserError } from '../../src/errors.ts';
import { scanFixtures, writeScanFixture } from './scan-fixtures.ts';
import { straight, temporaryFolder } from './scans.ts';

const root = await temporaryFolder();

const stored = (name: string): Promise<string> => writeScanFixture(root, name);

/** The sentence that reading a scan ends with. */
async function refusal(path: string): Promise<string> {
  const error = await readVolume(path).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  const { message } = z.object({ message: z.string() }).parse(error);
  expect(message.startsWith(dirname(path))).toBe(true);
  expect(message).toMatch(/\.$/);
  return message;
}

describe('a label map', () => {
  const labels = join(root, 'labels.nii.gz');
  const written = async (data: Float32Array | Float64Array | Uint8Array, scale?: { slope: number; inter: number }) => {
    await writeNifti(labels, { affine: straight(), shape: [data.length, 1, 1], data });
    if (scale) {
      const bytes = gunzipSync(await readFile(labels));
      bytes.writeFloatLE(scale.slope, 112);
      bytes.writeFloatLE(scale.inter, 116);
      await writeFile(labels, bytes);
    }
    return [...(await readLabelMap(labels)).data];
  };

  test('has whole numbers where scaling has moved them', async () => {
    expect(await written(Float32Array.of(0, 1.000_015, 1.9991, 255.0009, -0.0004))).toEqual([0, 1, 2, 255, 0]);
    expect(await written(Float64Array.of(0, 1.000_015, 576_073_733.0004))).toEqual([0, 1, 576_073_733]);
    // nibabel 5.3 stores 0, 1 and 2 of a float array as uint8 0, 127 (or 128) and 255 with the slope 2 / 255.
    expect(await written(Uint8Array.of(0, 127, 128, 255), { slope: 2 / 255, inter: 0 })).toEqual([0, 1, 1, 2]);
  });

  test('keeps what was never whole, to be refused', async () => {
    const odd = Float32Array.of(0.5, 0.9, 1.0025);
    expect(await written(odd)).toEqual([...odd]);
    expect(await written(Uint8Array.of(1, 3), { slope: 0.5, inter: 0 })).toEqual([0.5, 1.5]);
    expect(await written(Float32Array.of(Number.NaN, 1))).toEqual([Number.NaN, 1]);
  });
});

test('axes of one voxel behind z say nothing: the next is that of the channels', async () => {
  const file = join(root, 'vector.nii.gz');
  const data = Int16Array.from({ length: 24 }, (_, i) => i);
  for (const [shape, read] of [
    [
      [2, 2, 2, 1, 3],
      [2, 2, 2, 3],
    ],
    [
      [2, 2, 2, 3, 1, 1],
      [2, 2, 2, 3],
    ],
    [
      [2, 3, 4, 1],
      [2, 3, 4],
    ],
    [
      [2, 3, 2, 2, 1],
      [2, 3, 2, 2],
    ],
    [
      [2, 1, 3, 2, 2],
      [2, 1, 3, 2, 2],
    ],
    [
      [24, 1, 1],
      [24, 1, 1],
    ],
  ]) {
    await writeNifti(file, { affine: straight(), shape, data });
    const volume = await readVolume(file);
    expect([volume.shape, (await readGrid(file)).shape]).toEqual([read, read]);
    expect(volume.data).toEqual(data);
  }
});

describe('a scan has the voxels and the place in millimetres that it has as NIfTI', () => {
  test.each(scanFixtures)('$name', async ({ name, shape, affine, values }) => {
    const path = await stored(name);
    const volume = await readVolume(path);
    expect(volume.shape).toEqual(shape);
    expect([...volume.data]).toEqual(values);
    volume.affine.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(affine.flat()[i], 5);
    });
    // By the header alone.
    const { shape: gridShape, affine: gridAffine, spacing } = volume;
    expect(await readGrid(path)).toEqual({ shape: gridShape, affine: gridAffine, spacing });
    // What is written on its grid lies where it lies.
    const file = join(dirname(path), 'written.nii.gz');
    await writeNifti(file, { shape: shape.slice(0, 3), data: new Uint8Array(values.length), prefix: volume.prefix });
    (await readNifti(file)).affine.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(affine.flat()[i], 5);
    });
  });

  test('through links and relative paths', async () => {
    const path = await stored('NRRD header and voxels');
    const link = join(root, 'link.nhdr');
    await symlink(path, link);
    const { data } = await readVolume(path);
    expect((await readVolume(link)).data).toEqual(data);
    const { cwd } = process;
    const folder = cwd();
    process.chdir(dirname(path));
    expect((await readVolume('a.nhdr')).data).toEqual(data);
    process.chdir(folder);
  });
});

describe('a folder', () => {
  test('has scans of every format, and folders of DICOM, by their names', async () => {
    const folder = await mkdtemp(join(root, 'scans-'));
    for (const [name, to] of [
      ['NRRD uint8', 'a.nrrd'],
      ['MetaImage uint8', 'b.mha'],
      ['DICOM', 'c.1'],
      ['NRRD header and voxels', 'd.nhdr'],
    ])
      await rename(await stored(name), join(folder, to));
    await mkdir(join(folder, 'notes'));
    await writeFile(join(folder, 'notes', 'notes.txt'), 'nothing');
    await writeFile(join(folder, 'd.raw'), 'voxels');
    const scans = await listScans(folder);
    expect(scans.map((scan) => scan.slice(folder.length + 1))).toEqual(['a.nrrd', 'b.mha', 'c.1', 'd.nhdr']);
    expect(scans.map(caseName)).toEqual(['a', 'b', 'c.1', 'd']);
  });
});

test('what tells a volume apart is what it holds, in whatever files', async () => {
  const path = await stored('MetaImage header and voxels');
  const before = Buffer.concat((await readStored(path)).content);
  const voxels = join(dirname(path), 'a.raw');
  const bytes = await readFile(voxels);
  bytes[5] ^= 1;
  await writeFile(voxels, bytes);
  expect(Buffer.concat((await readStored(path)).content).equals(before)).toBe(false);
});

/** Takes bytes from the end of a file. */
async function shorten(file: string, bytes: number): Promise<void> {
  await truncate(file, (await stat(file)).size - bytes);
}

/** Replaces bytes of a file by as many others. */
async function edit(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, 'latin1');
  expect(text).toContain(from);
  await writeFile(file, text.replace(from, to), 'latin1');
}

describe('what the user can mend is said in a sentence', () => {
  test.each(['NRRD uint16', 'NRRD float32', 'MetaImage int16', 'MetaImage float32'])('%s, truncated', async (name) => {
    const path = await stored(name);
    const { size } = await stat(path);
    for (const bytes of [size - 20, 100, 0]) {
      await truncate(path, bytes);
      expect(await refusal(path)).toMatch(/^.*a\.\w+: it is damaged, truncated or .* Copy or export it again\.$/);
    }
  });

  test.each(['NRRD header and voxels', 'MetaImage header and compressed voxels'])(
    '%s, of which one is gone',
    async (name) => {
      const path = await stored(name);
      for (const file of await readdir(dirname(path))) if (!path.endsWith(file)) await rm(join(dirname(path), file));
      expect(await refusal(path)).toMatch(/it is damaged, truncated/);
      await rm(path);
      expect(await refusal(path)).toMatch(/there is no such file or folder/);
    },
  );

  test.each<[string, (series: string) => Promise<unknown>, RegExp]>([
    ['a truncated slice', (series) => shorten(join(series, '0'), 20), /series.0: the file is truncated\. Copy or/],
    ['a truncated header', (series) => shorten(join(series, '0'), 300), /series.0: the file is truncated\. Copy or/],
    [
      'a file that says only in its name that it is DICOM',
      (series) => writeFile(join(series, 'x.dcm'), ''),
      /x\.dcm: this is not/,
    ],
    [
      'a slice twice',
      (series) => cp(join(series, '0'), join(series, '3')),
      /series.3: it lies where .*series.0 lies\./,
    ],
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
    expect((await readVolume(series)).shape).toEqual([5, 4, 3]);
    expect(await refusal(join(series, '1'))).toMatch(/this is one DICOM file\. Give the folder of its series\./);
  });

  test('damage anywhere is a sentence or another volume, never a crash', async () => {
    const paths = await Promise.all(['NRRD int16', 'NRRD int32', 'MetaImage int16', 'MetaImage uint8'].map(stored));
    const series = await Promise.all(['DICOM', 'DICOM, compressed'].map(stored));
    const files = [...paths, ...series.map((folder) => join(folder, '1'))];
    const whole = await Promise.all(files.map((file) => readFile(file)));
    await fc.assert(
      fc.asyncProperty(fc.nat(files.length - 1), fc.nat(), fc.nat(255), async (which, at, value) => {
        const damaged = Uint8Array.from(whole[which]);
        damaged[at % damaged.length] = value;
        await writeFile(files[which], damaged);
        await readVolume([...paths, ...series][which]).catch((error: unknown) => {
          expect(error).toBeInstanceOf(UserError);
        });
        await writeFile(files[which], whole[which]);
      }),
      { numRuns: 60 },
    );
  });
});
