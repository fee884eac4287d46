import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { caseName } from '../../src/formats/case-names.ts';
import { readNifti, writeNifti } from '../../src/formats/nifti.ts';
import { readGrid, readLabelMap, readStored, readVolume } from '../../src/formats/read-volume.ts';
import { listScans } from '../../src/formats/scan-files.ts';
import { statedSizes } from '../../src/formats/volume.ts';
import { edit, expectedValues, refusal } from './reading.ts';
import { scanFixtures, writeScanFixture } from './scan-fixtures.ts';
import { straight, temporaryFolder, writeStated } from './scans.ts';

const root = await temporaryFolder();

const stored = (name: string): Promise<string> => writeScanFixture(root, name);

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
  test.each([
    ['MetaImage uint8', 'A.MHA'],
    ['NRRD int16', 'A.NRRD'],
    ['NRRD uint8', 'Segmentation.seg.nrrd'],
  ])('%s as %s', async (fixture, name) => {
    const path = await stored(fixture);
    await rename(path, join(dirname(path), name));
    expect([...(await readVolume(join(dirname(path), name))).data]).toEqual(expectedValues(fixture));
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
    expect([...(await readVolume(path)).data]).toEqual(expectedValues(fixture));
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
    expect([...(await readVolume(path)).data]).toEqual(expectedValues(fixture));
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

describe('what the user can fix is said in a sentence', () => {
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
