import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { unpack } from '../../src/download/unpack.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { tarOf } from './server.ts';

const root = await temporaryFolder();
afterEach(() => vi.unstubAllEnvs());

/** An archive of these bytes, and an empty folder for what is in it. */
async function archiveOf(bytes: Uint8Array): Promise<{ readonly archive: string; readonly folder: string }> {
  const place = await mkdtemp(join(root, 'place-'));
  const [archive, folder] = [join(place, 'Boxes.tar'), join(place, 'inner')];
  await writeFile(archive, bytes);
  await mkdir(folder);
  return { archive, folder };
}

it('leaves what an archive holds in the folder', async () => {
  const entries = [
    { path: 'Boxes/dataset.json', content: '{}' },
    { path: 'Boxes/imagesTr/a', content: 'x' },
  ];
  const { archive, folder } = await archiveOf(tarOf(entries));
  await unpack(archive, folder);
  for (const { path, content } of entries) expect(await readFile(join(folder, path), 'utf8')).toBe(content);
});

it.each([
  [
    'a path upwards',
    [
      { path: 'Boxes/dataset.json', content: '{}' },
      { path: 'Boxes/../../evil', content: 'x' },
    ],
    /the path Boxes\/\.\.\/\.\.\/evil, so it is not unpacked/,
  ],
  ['an absolute path', [{ path: '/tmp/evil', content: 'x' }], /the path \/tmp\/evil, so/],
  [
    'a link',
    [
      { path: 'Boxes', type: '2', target: '..' },
      { path: 'Boxes/evil', content: 'x' },
    ],
    /no file or folder \(l/,
  ],
] as const)('refuses an archive with %s before anything is unpacked', async (_, entries, sentence) => {
  const { archive, folder } = await archiveOf(tarOf(entries));
  await expect(unpack(archive, folder)).rejects.toThrow(sentence);
  expect(await readdir(folder)).toEqual([]);
  expect((await readdir(join(folder, '..'))).sort()).toEqual(['Boxes.tar', 'inner']);
});

it('says what is no archive', async () => {
  const { archive, folder } = await archiveOf(Buffer.from('no archive at all, '.repeat(100)));
  await expect(unpack(archive, folder)).rejects.toThrow(/Boxes\.tar: tar can't unpack it \(/);
});

it('says that tar is missing', async () => {
  const { archive, folder } = await archiveOf(tarOf([{ path: 'Boxes/a', content: 'x' }]));
  vi.stubEnv('PATH', folder);
  const refused = unpack(archive, folder);
  await expect(refused).rejects.toBeInstanceOf(UserError);
  await expect(refused).rejects.toThrow(`${archive}: the program tar, which unpacks it, is missing. Install it.`);
});
