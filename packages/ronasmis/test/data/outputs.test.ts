import { link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { requireApart, requireNone, requireOutside, requireReplaceable } from '../../src/data/outputs.ts';
import { temporaryFolder } from '../formats/scans.ts';

const root = await temporaryFolder();
const path = (...parts: readonly string[]): string => join(root, ...parts);
await mkdir(path('data', 'imagesTr', 'deep'), { recursive: true });
await mkdir(path('scans'));
await mkdir(path('out'));
await writeFile(path('data', 'dataset.json'), '{}');
await writeFile(path('scans', 'a.nii.gz'), 'a');
await symlink(path('scans'), path('link'));
await symlink('../scans/a.nii.gz', path('out', 'linked.nii.gz'));
await symlink('nowhere', path('out', 'dangling.nii.gz'));
await link(path('scans', 'a.nii.gz'), path('out', 'hard.nii.gz'));
await writeFile(path('out', 'own.nii.gz'), 'own');

it.each([
  ['data/imagesTr', /would lie among the scans or label maps/],
  ['data/imagesTr/deep/new/folder', /would lie among/],
  ['out/../data/imagesTr/new', /would lie among/],
  ['link', /would lie among/],
  ['link/new/folder', /would lie among the scans or label maps of .*scans: give another folder with --out\.$/],
  ['scans/.', /would lie among/],
])('results do not go among scans: %s', async (out, sentence) => {
  const refused = requireOutside(`${root}/${out}`, [path('scans'), path('not there')]);
  await expect(refused).rejects.toBeInstanceOf(UserError);
  await expect(refused).rejects.toThrow(sentence);
});

it.each(['data', 'data/new', 'data/imagesTs', 'scans2/a', 'out', 'out/imagesTr'])(
  'they may go into %s',
  async (out) => {
    await expect(requireOutside(path(out), [path('scans')])).resolves.toBeUndefined();
  },
);

it('results may lie beside the scans of a list, but not in a folder that is looked through for scans', async () => {
  await writeFile(path('scans', 'c.nii.gz'), 'c');
  const cases = [{ name: 'a', images: [path('scans', 'a.nii.gz')], label: path('data', 'a.nii.gz') }];
  await expect(requireApart(path('scans', 'run'), { folder: path('scans'), cases })).rejects.toThrow(/would lie among/);
  await expect(requireApart(path('data', 'run'), { folder: path('data'), cases })).resolves.toBeUndefined();
  await expect(requireApart(path('data'), { folder: path('data'), cases })).rejects.toThrow(/is an input/);
});

it('an input is known by whatever name', async () => {
  const inputs = [path('data', 'dataset.json'), path('scans', 'a.nii.gz'), path('not there')];
  for (const name of [
    'scans/a.nii.gz',
    'link/a.nii.gz',
    'out/linked.nii.gz',
    'out/hard.nii.gz',
    'out/../scans/a.nii.gz',
  ])
    await expect(requireNone(`${root}/${name}`, inputs)).rejects.toThrow(/an input, which the results would replace/);
  for (const name of ['out/own.nii.gz', 'not there', 'scans/b.nii.gz'])
    await expect(requireNone(path(name), inputs)).resolves.toBeUndefined();
});

it('what is there is replaced where it is our own or that was asked for, but never an input, a folder or a device', async () => {
  const inputs = [path('scans', 'a.nii.gz')];
  const isOwn = async (file: string): Promise<boolean> => file.includes('own');
  const replace = (files: readonly string[], overwrite = false) =>
    requireReplaceable(
      files.map((file) => path('out', file)),
      { isOwn, overwrite, inputs },
    );
  await expect(replace(['own.nii.gz', 'new.nii.gz'])).resolves.toBeUndefined();
  await writeFile(path('out', 'mine.nii.gz'), '');
  await expect(replace(['own.nii.gz', 'mine.nii.gz', 'dangling.nii.gz'])).rejects.toThrow(
    /^.*mine\.nii\.gz: a file of this name is there, .*--overwrite\.\n.*dangling\.nii\.gz: a file of this name/,
  );
  await expect(replace(['mine.nii.gz', 'dangling.nii.gz'], true)).resolves.toBeUndefined();
  await expect(replace(['hard.nii.gz'], true)).rejects.toThrow(/hard\.nii\.gz is the same as .*a\.nii\.gz, an input/);
  // What belongs to an input is one: the voxels that a header names, and the slices of a series.
  await writeFile(path('scans', 'b.mhd'), 'NDims = 3\nElementDataFile = b.raw\n');
  await writeFile(path('scans', 'b.raw'), 'voxels');
  const parts = { isOwn, overwrite: true, inputs: [path('scans', 'b.mhd'), path('series')] };
  await expect(requireReplaceable([path('scans', 'b.raw')], parts)).rejects.toThrow(/b\.raw is an input/);
  await mkdir(path('series'));
  await writeFile(path('series', 'slice1'), 'DICM');
  await expect(requireReplaceable([path('series', 'slice1')], parts)).rejects.toThrow(/slice1 is an input/);
  await mkdir(path('out', 'own folder'));
  await expect(replace(['own folder'], true)).rejects.toThrow(/this is a folder/);
  await expect(requireReplaceable(['/dev/null'], { isOwn, overwrite: true, inputs })).rejects.toThrow(
    /^\/dev\/null: this is a pipe or a device/,
  );
});
