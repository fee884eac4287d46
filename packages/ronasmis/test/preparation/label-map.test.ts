import { join } from 'node:path';
import { expect, test } from 'vitest';
import { zScore } from '../../src/data/normalisation.ts';
import { readNifti } from '../../src/formats/nifti.ts';
import { unturned } from '../../src/formats/orientation.ts';
import { writeLabelMap } from '../../src/preparation/label-map.ts';
import { prepareImage } from '../../src/preparation/prepared-image.ts';
import { straight, temporaryFolder, writeStated } from '../formats/scans.ts';

const folder = await temporaryFolder();
const labels = (second: number) => [
  { value: 0, name: 'background' },
  { value: 3, name: 'box' },
  { value: second, name: 'core' },
];

test.each([
  ['uint8', 9],
  ['int16', 300],
  ['int32', 40_000],
])('a segmentation of a crop goes back to the grid of its scan, as %s', async (type, second) => {
  const data = new Int16Array(2 * 60);
  // Voxels of 5 x 4 x 3, two channels; those that are not 0 reach from x 1, y 2, z 0 to x 3, y 3, z 1.
  data[0 * 20 + 2 * 5 + 3] = 5;
  data[60 + 1 * 20 + 3 * 5 + 1] = 5;
  const scanFile = join(folder, 'scan.nii.gz');
  await writeStated(scanFile, { shape: [5, 4, 3, 2], data, affine: straight(1, 2, 3, -7) });
  const scan = await readNifti(scanFile);
  const { crop } = prepareImage(scan, [zScore, zScore]);
  expect(crop).toEqual({ offset: [0, 2, 1], shape: [2, 2, 3], scanShape: [3, 4, 5] });

  const classes = Uint8Array.from([0, 1, 2, 0, 0, 1, 2, 2, 2, 1, 0, 0]);
  const file = join(folder, 'label.nii.gz');
  await writeLabelMap(
    file,
    scan,
    { classes, crop, turn: unturned },
    { labels: labels(second), maker: { run: 'a', scan: 'b' } },
  );
  const written = await readNifti(file);
  expect([written.shape, written.affine, written.voxelType.name]).toEqual([[3, 4, 5], scan.affine, type]);
  const rows = Array.from({ length: 12 }, (_, row) => [...written.data.subarray(row * 5, row * 5 + 5)]);
  const empty = [0, 0, 0, 0, 0];
  expect(rows.slice(0, 4)).toEqual([empty, empty, [0, 0, 3, second, 0], [0, 0, 0, 3, 0]]);
  expect(rows.slice(4, 8)).toEqual([empty, empty, [0, second, second, second, 0], [0, 3, 0, 0, 0]]);
  expect(rows.slice(8)).toEqual([empty, empty, empty, empty]);
});
