import { expect, test } from 'vitest';
import { groupChannels, isChannelFile, joinChannels, withoutChannel } from '../../src/data/channels.ts';
import { volumeOn } from '../../src/formats/nifti-header.ts';
import { statedGrid } from '../../src/formats/volume.ts';
import { straight } from '../formats/scans.ts';

test('scans of channel files in several folders are named by what differs in the paths', () => {
  const files = ['P1', 'P2'].flatMap((patient) => [0, 1].map((channel) => `/d/${patient}/scan_000${channel}.nii.gz`));
  expect(groupChannels(files)).toEqual([
    { name: 'P1', files: files.slice(0, 2) },
    { name: 'P2', files: files.slice(2) },
  ]);
  expect(() => groupChannels(files.slice(0, 3))).toThrow('/d/P2/scan_0000.nii.gz: of its scan, which needs 2');
});

test('channel files have a number of four digits', () => {
  expect(['a_0000.nii.gz', 'a_0001.mha', 'a_000.nii', 'a.nii', '0000.nii'].map(isChannelFile)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(withoutChannel('d/a_0001.nii.gz')).toBe('d/a');
});

test('volumes of a channel become one in the voxel order of the first', () => {
  const volume = (file: string, first: number, sizes: readonly number[] = [3, 2, 2], x = 1) =>
    volumeOn(
      file,
      statedGrid(file, sizes, straight(x)),
      Int16Array.from({ length: 12 }, (_, i) => first + i),
    );
  const joined = joinChannels([volume('a', 0), volume('b', 100), volume('c', 200)]);
  expect([joined.file, joined.shape, joined.channels]).toEqual(['a', [2, 2, 3], 3]);
  expect([...joined.data]).toEqual([0, 100, 200].flatMap((first) => Array.from({ length: 12 }, (_, i) => first + i)));
  expect(() => joinChannels([volume('a', 0), volume('b', 0, [2, 3, 2])])).toThrow(
    /^b: its 2 x 3 x 2 voxels do not fit/,
  );
  expect(() => joinChannels([volume('a', 0, [3, 2, 1, 2]), volume('b', 0)])).toThrow(
    /^a: it has several channels itself/,
  );
});
