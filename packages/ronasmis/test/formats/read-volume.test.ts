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
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../src/base/errors.ts';
import { caseName } from '../../src/formats/case-names.ts';
import { readNifti, writeNifti } from '../../src/formats/nifti.ts';
import { readGrid, readLabelMap, readStored, readVolume } from '../../src/formats/read-volume.ts';
import { isDicomFile, listScans } from '../../src/formats/scan-files.ts';
import { statedSizes } from '../../src/formats/volume.ts';
import { scanFixtures, writeScanFixture } from './scan-fixtures.ts';
import { straight, temporaryFolder, writeStated } from './scans.ts';

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
    await writeStated(labels, { affine: straight(), shape: [data.length, 1, 1], data });
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
      [24, 1, 1],
      [24, 1, 1],
    ],
  ]) {
    await writeStated(file, { affine: straight(), shape, data });
    const volume = await readVolume(file);
    expect([volume, await readGrid(file)].map(statedSizes)).toEqual([read, read]);
    expect(volume.data).toEqual(data);
  }
  await writeStated(file, { affine: straight(), shape: [2, 1, 3, 2, 2], data });
  await expect(readVolume(file)).rejects.toThrow(`${file}: it has 5 dimensions. Keep x, y, z and channels.`);
});

describe('a scan has the voxels and the place in millimetres that it has as NIfTI', () => {
  test.each(scanFixtures)('$name', async ({ name, shape, affine, values }) => {
    const path = await stored(name);
    const volume = await readVolume(path);
    expect(statedSizes(volume)).toEqual(shape);
    expect([...volume.data]).toEqual(values);
    volume.affine.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(affine.flat()[i], 5);
    });
    // By the header alone.
    const { shape: gridShape, channels, affine: gridAffine, spacing } = volume;
    expect(await readGrid(path)).toEqual({ shape: gridShape, channels, affine: gridAffine, spacing });
    // What is written on its grid lies where it lies.
    const file = join(dirname(path), 'written.nii.gz');
    await writeNifti(file, { shape: gridShape, data: new Uint8Array(values.length), prefix: volume.prefix });
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

describe('however its files are called and lie', () => {
  /** A fixture moved to `header` in a new folder, with its voxels in `voxels`, which the header names as `named`. */
  async function moved(fixture: string, header: string, voxels: string, named: string): Promise<string> {
    const path = await stored(fixture);
    const folder = await mkdtemp(join(root, 'moved-'));
    for (const file of [header, voxels]) await mkdir(dirname(join(folder, file)), { recursive: true });
    const text = await readFile(path, 'utf8');
    const [own] = (await readdir(dirname(path))).filter((name) => /raw/.test(name));
    await rename(join(dirname(path), own), join(folder, voxels));
    await writeFile(join(folder, header), text.replace(own, named));
    return join(folder, header);
  }

  const expected = (name: string) => scanFixtures.find((fixture) => fixture.name === name)?.values;
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
    expect([...(await readVolume(path)).data]).toEqual(expected(fixture));
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
    const values = expected(fixture) ?? [];
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

  test.each([
    ['MetaImage uint8', 'A.MHA'],
    ['NRRD int16', 'A.NRRD'],
    ['NRRD uint8', 'Segmentation.seg.nrrd'],
  ])('%s as %s', async (fixture, name) => {
    const path = await stored(fixture);
    await rename(path, join(dirname(path), name));
    expect([...(await readVolume(join(dirname(path), name))).data]).toEqual(expected(fixture));
  });

  test("3D Slicer's segmentation with segments that overlap is refused", async () => {
    const path = await stored('NRRD of two channels');
    const segmentation = join(dirname(path), 'a.seg.nrrd');
    await rename(path, segmentation);
    expect(await refusal(segmentation)).toMatch(
      /a\.seg\.nrrd: its segments overlap, so that they lie in 2 layers\. Export it as one label map/,
    );
  });

  test.each([
    'MetaImage int16',
    'NRRD int16',
    'MetaImage header and voxels',
    'NRRD header and compressed voxels',
    'DICOM',
    'DICOM, compressed',
  ])('%s through links into a store whose files have other names', async (fixture) => {
    const path = await stored(fixture);
    const store = await mkdtemp(join(root, 'store-'));
    const folder = fixture.startsWith('DICOM') ? path : dirname(path);
    for (const [i, name] of (await readdir(folder)).entries()) {
      await mkdir(join(store, String(i)));
      await rename(join(folder, name), join(store, String(i), `MD5-${i}`));
      await symlink(join(store, String(i), `MD5-${i}`), join(folder, name));
    }
    expect([...(await readVolume(path)).data]).toEqual(expected(fixture));
    expect((await readGrid(path)).shape).toEqual((await readVolume(path)).shape);
  });

  test.each(['MetaImage header and voxels', 'DICOM'])('%s without a place for copies of it', async (fixture) => {
    const path = await stored(fixture);
    if (fixture === 'DICOM') await writeFile(join(path, '1'), (await readFile(join(path, '1'))).subarray(132));
    else await edit(path, 'a.raw', './a.raw');
    vi.stubEnv('TMPDIR', join(root, 'nowhere'));
    try {
      expect(await refusal(path)).toMatch(
        /copies are needed to read it, and .*nowhere takes none \(.*\)\. Set TMPDIR to a folder with room for them\.$/,
      );
    } finally {
      vi.unstubAllEnvs();
    }
    expect([...(await readVolume(path)).data]).toEqual(expected(fixture));
  });

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

  test('other files are no DICOM, whatever they begin with', async () => {
    const folder = await mkdtemp(join(root, 'others-'));
    const others = {
      a: [8, 0, 8, 0],
      b: [2, 0, 0, 0, 0x55, 0x4c, 4, 0],
      c: [],
      d: Array(600).fill(0),
      e: Array(600).fill(8),
    };
    for (const [name, bytes] of Object.entries(others)) await writeFile(join(folder, name), Uint8Array.from(bytes));
    await writeFile(
      join(folder, 'f'),
      Int16Array.from({ length: 600 }, (_, i) => 8 + i),
    );
    for (const name of [...Object.keys(others), 'f']) expect(await isDicomFile(join(folder, name)), name).toBe(false);
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
      expect(await refusal(path)).toMatch(/its voxels are to be in a\.\S+, which is not there\. Copy it too\.$/);
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
    expect((await readVolume(series)).shape).toEqual([3, 4, 5]);
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
