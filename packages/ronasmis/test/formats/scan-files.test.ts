import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { readVolume } from '../../src/formats/read-volume.ts';
import { isDicomFile, listScans, readScanFolder, remarksOn } from '../../src/formats/scan-files.ts';
import { boxCase, straight, temporaryFolder, writeStated } from './scans.ts';

const root = await temporaryFolder();

async function folderOf(...names: readonly (string | Buffer)[]): Promise<string> {
  const folder = await mkdtemp(join(root, 'scans-'));
  for (const name of names) {
    if (typeof name === 'string') await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]), 'voxels');
  }
  return folder;
}

/** Bytes of a name as Latin-1 has them. */
const latin1 = (name: string) => Buffer.from(name, 'latin1');
const within = (folder: string, paths: readonly string[]) => paths.map((path) => path.slice(folder.length + 1));

describe('a folder of scans', () => {
  it('may have endings in letters of any case', async () => {
    const folder = await folderOf('a.NII.GZ', 'b.Nii.gz', 'c.NRRD', 'd.nii.gz', '.e.nii.gz');
    expect(within(folder, await listScans(folder))).toEqual(['a.NII.GZ', 'b.Nii.gz', 'c.NRRD', 'd.nii.gz']);
  });

  it('tells what looks like a scan and is none', async () => {
    const names = ['b.hdr', 'b.img', 'c.nii.bz2', 'd.nii.gz.part', 'e.dcm', 'f.mgz', 'g.nii (1).gz', 'h.nii_old'];
    const folder = await folderOf('a.nii.gz', 'a.json', 'notes.txt', 'a.nii.gz.md5', 'a.raw', 'thumb.png', ...names);
    expect((await readScanFolder(folder)).overlooked).toEqual(names);
  });

  it('of nothing but folders has the scans in these', async () => {
    const folder = await folderOf('P1/imaging.nii.gz', 'P2/imaging.nii.gz', 'P2/imaging.json', 'list.csv');
    expect(within(folder, await listScans(folder))).toEqual(['P1/imaging.nii.gz', 'P2/imaging.nii.gz']);
    await writeFile(join(folder, 'a.nii.gz'), '');
    const all = ['a.nii.gz', 'P1/imaging.nii.gz', 'P2/imaging.nii.gz'];
    expect(within(folder, await listScans(folder))).toEqual(all);
  });

  it('has the scans of folders at any depth, but of hidden ones', async () => {
    const folder = await folderOf(
      'a.nii.gz',
      'P1/b.nii.gz',
      'P2/s/t/u/c.nii.gz',
      '.trash/d.nii.gz',
      'P1/.old/e.nii.gz',
    );
    expect(within(folder, await listScans(folder))).toEqual(['a.nii.gz', 'P1/b.nii.gz', 'P2/s/t/u/c.nii.gz']);
  });

  it('is read once, wherever links in it lead', async () => {
    const folder = await folderOf('P1/a.nii.gz', 'P2/b.nii.gz');
    const outside = await folderOf('c.nii.gz');
    await symlink(folder, join(folder, 'P2', 'up'));
    await symlink(join(folder, 'P2'), join(folder, 'A'));
    await symlink(outside, join(folder, 'P1', 'outside'));
    const { scans, repeated } = await readScanFolder(folder);
    expect(within(folder, scans)).toEqual(['P1/a.nii.gz', 'P2/b.nii.gz', 'P1/outside/c.nii.gz']);
    expect(within(folder, repeated)).toEqual(['A', 'P2/up']);
  });

  it('tells of scans and folders among the slices of DICOM', async () => {
    const folder = await folderOf('P1/a.nii.gz', 'P1/more/b.nii.gz');
    const preamble = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.alloc(64)]);
    await writeFile(join(folder, 'P1', 'slice'), preamble);
    const found = await readScanFolder(folder);
    expect(within(folder, found.scans)).toEqual(['P1']);
    expect(within(folder, found.amongSlices)).toEqual(['P1/a.nii.gz', 'P1/more']);
    expect(remarksOn(found)).toEqual([
      expect.stringMatching(/among the slices of a DICOM series: .*a\.nii\.gz, .*more\. /),
    ]);
  });

  it.skipIf(process.platform !== 'linux')('names what is not called in UTF-8, and drops nothing', async () => {
    const folder = await folderOf('a.nii.gz', latin1('Müller.nii.gz'));
    const scans = await listScans(folder);
    expect(scans).toHaveLength(2);
    await expect(readVolume(scans[0])).rejects.toThrow(
      `${folder}/M\uFFFDller.nii.gz: its name is not written in UTF-8, so that it cannot be opened. Rename it.`,
    );
    await mkdir(Buffer.concat([Buffer.from(`${folder}/`), latin1('Jürgen')]));
    expect(await listScans(folder)).toHaveLength(3);
  });
});

it('predictions are compared with label maps of other endings, accents and folders', async () => {
  const { label } = boxCase('a', createRandom(1));
  const [predictions, labels] = [await folderOf(), await folderOf()];
  const write = (file: string) => writeStated(file, { ...label, affine: straight() });
  for (const [name, other] of [
    ['é', 'é.NII.GZ'],
    ['b', 'b.nii'],
  ]) {
    await write(join(predictions, `${name.normalize('NFC')}.nii.gz`));
    await write(join(labels, other.normalize('NFD')));
  }
  expect(Object.keys((await evaluate(predictions, labels)).cases)).toEqual(['b', 'é'.normalize('NFC')]);
  const patients = await folderOf();
  for (const name of ['b', 'é']) {
    await mkdir(join(patients, name));
    await write(join(patients, name, 'segmentation.nii.gz'));
  }
  expect((await evaluate(predictions, patients)).dice.mean).toBe(1);
  // One patient's folder alone names the case as well.
  await rm(join(predictions, `${'é'.normalize('NFC')}.nii.gz`));
  await rm(join(patients, 'é'), { recursive: true });
  expect(Object.keys((await evaluate(predictions, patients)).cases)).toEqual(['b']);
});

it('other files are no DICOM, whatever they begin with', async () => {
  const folder = await folderOf();
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
