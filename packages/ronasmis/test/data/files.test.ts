import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from '../../src/data/files.ts';
import { temporaryFolder } from './scans.ts';

const root = await temporaryFolder();

it('makes folders below the same missing ones at once, whatever the order in which the calls get their turns', async () => {
  for (let round = 0; round < 200; round += 1) {
    const parent = join(root, `${round}`, 'missing', 'too');
    const folders = ['one', 'two', 'three', 'three'].map((name) => join(parent, name));
    await Promise.all([mkdir(join(root, `${round}`)).catch(() => {}), ...folders.map(makeFolder)]);
    for (const folder of folders) expect((await stat(folder)).isDirectory()).toBe(true);
  }
});
