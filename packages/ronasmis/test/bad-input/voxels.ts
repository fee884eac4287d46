import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Voxels } from '../../src/base/voxels.ts';
import { splitCases } from '../../src/data/folds.ts';

import { straight, type TestCase, writeStated } from '../formats/scans.ts';
import { type Build, dataSet, type Inputs, image, sound, withCase } from './inputs.ts';

/** A case whose image has other voxels. */
const imageOf = (change: (voxels: Voxels) => Voxels) =>
  withCase((sound) => ({ image: { ...sound.image, data: change(sound.image.data) } }));
/** A case whose label map has other voxels. */
const labelOf = (change: (voxels: Voxels) => Voxels) =>
  withCase((sound) => ({ label: { ...sound.label, data: change(sound.label.data) } }));
/** As float64, with one voxel replaced. */
const one = (value: number) => (voxels: Voxels) => Float64Array.from(voxels).fill(value, 1234, 1235);

/** A data set in whose cases of these names nothing is labelled. */
const emptied = (names: readonly string[]): Build =>
  dataSet(async (copy) => {
    for (const { name, label } of sound.filter(({ name }) => names.includes(name))) {
      const nothing = { affine: straight(), shape: label.shape, data: new Uint8Array(label.data.length) };
      await writeStated(join(copy, 'labelsTr', `${name}.nii.gz`), nothing);
    }
  });
const allCases = sound.map(({ name }) => name);

/** A case that stands elsewhere as a whole. */
const placed = (affine: TestCase['image']['affine']) =>
  withCase(({ image, label }) => ({
    image: { ...image, ...(affine && { affine }) },
    label: { ...label, ...(affine && { affine }) },
  }));

/** What is wrong with the voxels of an image or of a label map. */
export const voxels: Inputs = {
  'A voxel that is not a number': imageOf(one(Number.NaN)),
  'An infinite voxel': imageOf(one(Number.NEGATIVE_INFINITY)),
  'A voxel too large for 32 bits': imageOf(one(1e300)),
  'A voxel far from all others': imageOf(one(3e38)),
  'A stuck pixel': imageOf(one(65535)),
  'Two scans with a stuck pixel': dataSet(async (copy) => {
    for (const { name, image } of [sound[0], sound[2]])
      await writeStated(join(copy, 'imagesTr', `${name}.nii.gz`), {
        affine: straight(),
        ...image,
        data: one(65535)(image.data),
      });
  }),
  'A label value that is not listed': labelOf(one(7)),
  'A negative label value': labelOf(one(-1)),
  'A label value that is no whole number': labelOf(one(0.5)),
  'A label value that is not a number': labelOf(one(Number.NaN)),
  'An empty label map': labelOf((voxels) => new Uint8Array(voxels.length)),
  'Nothing labelled in any case': emptied(allCases),
  'Nothing labelled in the test cases': emptied(splitCases(allCases, { folds: 3, fold: 0 }).test),
  'A label map of several volumes': withCase(({ label: { shape, data } }) => ({
    label: { shape: [...shape, 2], data: Uint8Array.of(...data, ...data) },
  })),
  'Label values that scaling has moved': labelOf((voxels) => Float32Array.from(voxels, (value) => 1.000_015 * value)),
  'A 2D image': withCase(({ image, label }) => ({
    image: { shape: [16, 16], data: image.data.slice(0, 256) },
    label: { shape: [16, 16], data: label.data.slice(0, 256) },
  })),
  'An image of zeros': imageOf((voxels) => new Uint8Array(voxels.length)),
  'An image of one value': imageOf((voxels) => new Uint8Array(voxels.length).fill(3)),
  'A spacing far from the others': placed(straight(1, 1, 4)),
  'A spacing that can hardly be': placed(straight(20, 20, 20)),
  'An orientation unlike the others': placed(straight(-1, 1, 1)),
  'The same image twice': dataSet((copy) => cp(join(copy, 'imagesTr', 'a.nii.gz'), image(copy))),
};
