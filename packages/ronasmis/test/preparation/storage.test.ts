import { mkdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type CaseStorage,
  caseFiles,
  changeImage,
  imageSpan,
  labelSpan,
  moveToDisk,
} from '../../src/preparation/storage.ts';
import { temporaryFolder } from '../formats/scans.ts';

const folder = await temporaryFolder();
const image = () => Float32Array.from({ length: 20 }, (_, i) => i / 3);
const label = Uint8Array.from({ length: 10 }, (_, i) => i);

test('spans are the same from memory and from the disk, before and after they are changed', async () => {
  const inMemory: CaseStorage = { kind: 'memory', image: image(), label };
  const onDisk = await moveToDisk(join(folder, 'case'), image(), label);
  for (const storage of [inMemory, onDisk]) {
    expect(imageSpan(storage, 5, 12)).toEqual(image().subarray(5, 12));
    expect(labelSpan(storage, 2, 7)).toEqual(label.subarray(2, 7));
    changeImage(storage, 5, 12, (values) => {
      values.fill(-1);
    });
    expect([...imageSpan(storage, 0, 20)]).toEqual([...image()].map((value, i) => (i >= 5 && i < 12 ? -1 : value)));
  }
});

test('a file of another case that has the name is replaced, not written over, for it may have other names', async () => {
  const path = join(folder, 'again');
  await moveToDisk(path, image(), label);
  const storage = await moveToDisk(path, new Float32Array(3), new Uint8Array(2));
  expect([...imageSpan(storage, 0, 3)]).toEqual([0, 0, 0]);
  expect(() => imageSpan(storage, 0, 4)).toThrow(/shorter than it was written/);
});

test('what was shortened since is said, and so is a disk that takes nothing', async () => {
  const path = join(folder, 'short');
  const storage = await moveToDisk(path, image(), label);
  await truncate(caseFiles(path).labelFile, 5);
  expect(() => labelSpan(storage, 0, 10)).toThrow(/label\.uint8: this prepared case is shorter than it was written/);
  await mkdir(join(folder, 'taken.image.float32'));
  await expect(moveToDisk(join(folder, 'taken'), image(), label)).rejects.toThrow(/taken\.image\.float32/);
});
