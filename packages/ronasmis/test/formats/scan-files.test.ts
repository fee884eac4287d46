import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { groupChannels } from '../../src/data/channels.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { byCaseName, caseName, caseNames, counterpartNames } from '../../src/formats/case-names.ts';
import { readVolume } from '../../src/formats/read-volume.ts';
import { listScans, readScanFolder, remarksOn } from '../../src/formats/scan-files.ts';
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

describe('the name of a case', () => {
  it.each([
    ['a.nii.gz', 'a'],
    ['A.NII.GZ', 'A'],
    ['b.Nii', 'b'],
    ['b.nii.GZ', 'b'],
    ['c.NRRD', 'c'],
    ['c.1.MHA', 'c.1'],
    ['Segmentation.seg.nrrd', 'Segmentation'],
    ['Segmentation.SEG.NRRD', 'Segmentation'],
    ['a.seg.nii.gz', 'a.seg'],
    ['series.1', 'series.1'],
  ])('%s', (file, name) => {
    expect(caseName(`folder/${file}`)).toBe(name);
  });

  it('has its accents composed, wherever it was stored', () => {
    expect(caseName('Größe é.nii.gz'.normalize('NFD'))).toBe('Größe é'.normalize('NFC'));
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['of files', ['x/a.nii.gz', 'y/b.nii', 'a/c.mha'], ['a', 'b', 'c']],
    ['of patients', ['d/P1/imaging.nii.gz', 'd/P2/imaging.nii.gz', 'd/P10/imaging.nii'], ['P1', 'P2', 'P10']],
    ['of time points', ['P1/t0/i.nii', 'P1/t1/i.nii', 'P2/t0/i.nii'], ['P1__t0', 'P1__t1', 'P2']],
    ['of sites', ['A/P1/scan/i.nii', 'B/P1/scan/i.nii'], ['A', 'B']],
    ['of several files a patient', ['P1/a.nii', 'P2/a.nii', 'P2/b.nii'], ['P1', 'P2__a', 'P2__b']],
    ['of different depths', ['a/i.nii', 'a/b/i.nii', 'a/c/i.nii'], ['i', 'b', 'c']],
    ['of folders of DICOM', ['P1/dicom', 'P2/dicom'], ['P1', 'P2']],
    [
      'that would run together',
      ['a/b_c.nii', 'a_b/c.nii', 'a/c.nii', 'd/x.nii', 'e/x.nii'],
      ['a__b_c', 'a_b', 'a__c', 'd', 'e'],
    ],
    [
      'that would run together in any case',
      ['a/b__c.nii', 'a/c.nii', 'a__b/c.nii', 'a__b/d.nii', 'x/c.nii'],
      ['a___b__c', 'a__c', 'a__b___c', 'a__b__d', 'x'],
    ],
    ['of one file twice', ['d/a.nii', 'd/a.nii.gz'], ['a', 'a']],
    ['of none', [], []],
  ])('is what differs in the paths: %s', (_, paths, names) => {
    expect(caseNames(paths)).toEqual(names);
    expect(caseNames(paths.map((path) => join('/somewhere', path)))).toEqual(names);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['one file', ['a.nii'], ['a']],
    ['files', ['a.nii', 'b.nii'], ['a', 'b']],
    ['one patient', ['P1/seg.nii'], ['P1']],
    ['patients with files of their own names', ['P1/scan_1.nii', 'P2/scan_2.nii'], ['P1', 'P2']],
    ['patients beside files', ['a.nii', 'P1/i.nii', 'P2/s/t/i.nii'], ['a', 'P1', 'P2']],
    ['a patient called like a file', ['P1.nii', 'P1/i.nii', 'P2/i.nii'], ['P1', 'P1__i', 'P2']],
    ['sites with files of their own names', ['A/a.nii', 'A/b.nii', 'B/c.nii'], ['a', 'b', 'c']],
    ['sessions of one patient', ['P1/s0/i.nii', 'P1/s1/i.nii'], ['P1__s0', 'P1__s1']],
    ['sessions of patients', ['P1/s0/i.nii', 'P1/s1/i.nii', 'P2/s0/i.nii'], ['P1__s0', 'P1__s1', 'P2']],
    ['one file twice', ['a.nii', 'a.nii.gz'], ['a', 'a']],
  ])('in a folder of %s', (_, paths, names) => {
    const folder = '/d/e';
    expect(
      caseNames(
        paths.map((path) => join(folder, path)),
        folder,
      ),
    ).toEqual(names);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['patients', ['P1/scan_1.nii', 'P2/scan_2.nii'], ['P1/seg.nii', 'P2/seg.nii']],
    ['patients and files that are called like them', ['P1/i.nii', 'P2/i.nii'], ['P1.nii', 'P2.nii']],
    ['patients and files that are called like theirs', ['P1/P1_ct.nii', 'P2/P2_ct.nii'], ['P1_ct.nii', 'P2_ct.nii']],
    ['files and one patient', ['P1.nii'], ['P1/seg.nii']],
    ['files and sites', ['a.nii', 'b.nii', 'c.nii'], ['A/a.nii', 'A/b.nii', 'B/c.nii']],
  ])('is that of the counterpart: %s', (_, ones, others) => {
    const of = (folder: string, paths: readonly string[]) => ({
      folder,
      paths: paths.map((path) => join(folder, path)),
    });
    const [names, counterparts] = counterpartNames(of('/x', ones), of('/y/z', others));
    expect(names).toEqual(counterparts);
  });

  it('is refused where two scans have it', () => {
    expect(() => byCaseName(['d/a.nii', 'd/a.NII.gz'])).toThrow('d/a.NII.gz: a.nii has the same name. Keep one');
  });

  it('of channel files in several folders is what differs in the paths', () => {
    const files = ['P1', 'P2'].flatMap((patient) => [0, 1].map((channel) => `/d/${patient}/scan_000${channel}.nii.gz`));
    expect(groupChannels(files)).toEqual([
      { name: 'P1', files: files.slice(0, 2) },
      { name: 'P2', files: files.slice(2) },
    ]);
    expect(() => groupChannels(files.slice(0, 3))).toThrow('/d/P2/scan_0000.nii.gz: of its scan, which needs 2');
  });
});

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
