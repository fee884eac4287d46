import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cropLabel, readOwnLabel } from '../../src/data/cropped-label.ts';
import { IGNORED_CLASS } from '../../src/data/description.ts';
import { writeNifti } from '../../src/formats/nifti.ts';
import { inverseOf, turnBetween, turnVoxels } from '../../src/formats/orientation.ts';
import { straight, temporaryFolder } from '../formats/scans.ts';

// One slice of 3 x 4 voxels; the crop has the last two rows of the first three columns.
const label = { shape: [1, 3, 4], data: Int16Array.of(5, 0, 9, 9, 0, 300, 5, 0, 7, 9, 9, 5) } as const;
const box = { offset: [0, 1, 0], shape: [1, 2, 3] } as const;
const values = { labelValues: [0, 5, 300], ignoredValue: 9 };
const classes = [0, 2, 1, 0, IGNORED_CLASS, IGNORED_CLASS];

test('values become classes, one of their own where they are ignored and the background where they mean nothing', () => {
  const cropped = cropLabel(label, box, values);
  expect([...cropped.label]).toEqual(classes);
  expect(cropped.label.buffer).toBeInstanceOf(SharedArrayBuffer);
  // Of the value 5, one voxel in the first row and one in the last column.
  expect(cropped.outsideCrop).toEqual([0, 2, 0]);
});

test('a label is read again by the turn that it was given', async () => {
  const labelFile = join(await temporaryFolder(), 'a.nii');
  const labelTurn = turnBetween('SLP', 'RAS');
  const back = inverseOf(labelTurn);
  const [x, y, z] = back.axes.map((axis) => [4, 3, 1][axis]);
  const data = turnVoxels(label.data, label.shape, back);
  await writeNifti(labelFile, { shape: [z, y, x], data, affine: straight() });
  expect([...(await readOwnLabel({ labelFile, labelTurn, crop: box }, values)).label]).toEqual(classes);
});
