import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create } from 'tar';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { unpack } from '../../src/download/unpack.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { type Entry, tarOf } from './server.ts';

const root = await temporaryFolder();

/** An archive of these bytes, and an empty folder for what is in it. */
async function archiveOf(bytes: Uint8Array): Promise<{ readonly archive: string; readonly folder: string }> {
  const place = await mkdtemp(join(root, 'place-'));
  const [archive, folder] = [join(place, 'Boxes.tar'), join(place, 'inner')];
  await writeFile(archive, bytes);
  await mkdir(folder);
  return { archive, folder };
}

/** What an archive that was refused leaves: nothing, in the folder or beside it. */
async function expectNothing(folder: string): Promise<void> {
  expect(await readdir(folder)).toEqual([]);
  expect((await readdir(join(folder, '..'))).sort()).toEqual(['Boxes.tar', 'inner']);
}

/** A record of an extended header, which begins with its own length. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = rest.length + String(rest.length + 2).length;
  return `${length}${rest}`;
}

const data: Entry = { path: 'Boxes/dataset.json', content: '{}' };

describe('unpack', () => {
  it('leaves what an archive holds in the folder', async () => {
    const entries = [data, { path: 'Boxes/imagesTr/a', content: 'x' }];
    const { archive, folder } = await archiveOf(tarOf(entries));
    await unpack(archive, folder);
    for (const { path, content = '' } of entries) expect(await readFile(join(folder, path), 'utf8')).toBe(content);
  });

  it('leaves every file of a folder, whatever its name and size', async () => {
    const place = await mkdtemp(join(root, 'tree-'));
    const contents = new Map([
      ['Boxes/dataset.json', Buffer.from('{}')],
      ['Boxes/._dataset.json', Buffer.alloc(0)],
      [`Boxes/imagesTr/${'very '.repeat(30)}long`, Buffer.from('far down')],
      ['Boxes/imagesTr/Bäume ☂.nii.gz', Buffer.from('leaves')],
      ['Boxes/labelsTr/large', Buffer.alloc(5 * 2 ** 20 + 17, 'many voxels')],
    ]);
    for (const [path, content] of contents) {
      await mkdir(dirname(join(place, path)), { recursive: true });
      await writeFile(join(place, path), content);
    }
    await mkdir(join(place, 'Boxes/empty'));
    await create({ file: join(place, 'Boxes.tar'), cwd: place }, ['Boxes']);
    await mkdir(join(place, 'inner'));
    await unpack(join(place, 'Boxes.tar'), join(place, 'inner'));
    for (const [path, content] of contents)
      expect((await readFile(join(place, 'inner', path))).equals(content)).toBe(true);
    expect((await stat(join(place, 'inner/Boxes/empty'))).isDirectory()).toBe(true);
    expect((await readdir(join(place, 'inner/Boxes'))).sort()).toEqual((await readdir(join(place, 'Boxes'))).sort());
  });

  it.each<[string, readonly Entry[], RegExp]>([
    ['a path upwards', [data, { path: 'Boxes/../../evil', content: 'x' }], /the path Boxes\/\.\.\/\.\.\/evil, so it/],
    ['a path upwards and back', [data, { path: 'Boxes/../Boxes/evil' }], /the path Boxes\/\.\.\/Boxes\/evil, so it/],
    ['an absolute path', [{ path: '/tmp/evil', content: 'x' }], /the path \/tmp\/evil, so it is not unpacked/],
    [
      'an absolute path in an extended header',
      [data, { path: 'more', type: 'x', content: record('path', '/tmp/evil') }, { path: 'Boxes/good', content: 'x' }],
      /the path \/tmp\/evil, so it/,
    ],
    [
      'a symbolic link',
      [
        { path: 'Boxes', type: '2', target: '..' },
        { path: 'Boxes/evil', content: 'x' },
      ],
      /no file or folder \(Boxes, a SymbolicLink\)/,
    ],
    [
      'a link',
      [data, { path: 'Boxes/passwords', type: '1', target: '/etc/passwd' }],
      /no file or folder \(Boxes\/passwords, a Link\)/,
    ],
    ['a device', [data, { path: 'Boxes/disk', type: '4' }], /\(Boxes\/disk, a BlockDevice\)/],
    ['a terminal', [data, { path: 'Boxes/terminal', type: '3' }], /\(Boxes\/terminal, a CharacterDevice\)/],
    ['a pipe', [data, { path: 'Boxes/pipe', type: '6' }], /\(Boxes\/pipe, a FIFO\)/],
    ['what tar alone knows', [data, { path: 'Boxes/sparse', type: 'V' }], /no file or folder \(Boxes\/sparse, a /],
  ])('refuses an archive with %s, and leaves nothing of it', async (_, entries, sentence) => {
    const { archive, folder } = await archiveOf(tarOf(entries));
    const refused = unpack(archive, folder);
    await expect(refused).rejects.toBeInstanceOf(UserError);
    await expect(refused).rejects.toThrow(sentence);
    await expectNothing(folder);
  });

  it('refuses one that is compressed and would fill the disk', async () => {
    const { archive, folder } = await archiveOf(
      gzipSync(tarOf([data, { path: 'Boxes/zeros', content: '\0'.repeat(2 ** 24) }])),
    );
    await expect(unpack(archive, folder)).rejects.toThrow(
      /\(Boxes\/zeros ends behind its end: it is cut short, or compressed\)/,
    );
    await expectNothing(folder);
  });

  const whole = tarOf([data, { path: 'Boxes/a', content: 'x'.repeat(3000) }, { path: 'Boxes/b', content: 'y' }]);
  const withoutChecksum = Buffer.from(whole);
  withoutChecksum.write('Toxes', 512 * (2 + 1 + 6));
  it.each([
    [
      'no archive',
      Buffer.from('no archive at all, '.repeat(100)),
      /\((checksum failure|Unrecognized archive format)\)/,
    ],
    ['nothing', Buffer.alloc(0), /\(Unrecognized archive format\)/],
    [
      'cut within a file',
      whole.subarray(0, 512 * 5),
      /\(Boxes\/a ends behind its end: it is cut short, or compressed\)/,
    ],
    ['cut within a small file', whole.subarray(0, -1024 - 512), /\(Truncated input/],
    ['a damaged header', withoutChecksum, /\(checksum failure\)/],
    ['a file where a folder has to be', tarOf([{ path: 'Boxes', content: 'x' }, data]), /Boxes/],
    ['cut while it was compressed', gzipSync(whole).subarray(0, 60), /\(.+\)/],
  ])('says what is damaged: %s, and leaves nothing of it', async (_, bytes, reason) => {
    const { archive, folder } = await archiveOf(bytes);
    const failed = unpack(archive, folder);
    await expect(failed).rejects.toBeInstanceOf(UserError);
    await expect(failed).rejects.toThrow(/Boxes\.tar: it can't be unpacked \(.*\)\. Fix that, or remove the file\.$/);
    await expect(failed).rejects.toThrow(reason);
    await expectNothing(folder);
  });

  it('stops where it is told to, and leaves nothing', async () => {
    const { archive, folder } = await archiveOf(
      tarOf(Array.from({ length: 40 }, (_, i) => ({ path: `Boxes/${i}`, content: 'x'.repeat(2 ** 20) }))),
    );
    const stop = new AbortController();
    const stopped = unpack(archive, folder, stop.signal);
    const watch = setInterval(async () => {
      // Something is written, but not all.
      if ((await readdir(folder)).length > 0) stop.abort();
    }, 1);
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    clearInterval(watch);
    await expectNothing(folder);
    await expect(unpack(archive, folder, AbortSignal.abort())).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
  });

  it('does not touch what is there already', async () => {
    const { archive, folder } = await archiveOf(whole);
    await writeFile(join(folder, 'mine'), 'kept');
    await expect(unpack(archive, folder)).rejects.toThrow('is not empty');
    expect(await readdir(folder)).toEqual(['mine']);
  });
});
