import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Triple } from '../../../src/base/geometry.ts';
import { readDataSet } from '../../../src/data/dataset.ts';
import { planInputsOf } from '../../../src/systems/nnunet/fingerprint.ts';
import { planNnunet } from '../../../src/systems/nnunet/plan.ts';
import type { PresetName } from '../../../src/systems/nnunet/presets.ts';
import { realDataSets, straight, temporaryFolder, writeStated } from '../../formats/scans.ts';

const root = await temporaryFolder();

/** Scans of two channels: x, y, z in voxels, millimetres, and the margin of zeros around what is there. */
const scans: readonly { readonly size: Triple; readonly spacing: Triple; readonly margin: number }[] = [
  { size: [20, 24, 12], spacing: [0.75, 0.75, 3], margin: 2 },
  { size: [30, 22, 10], spacing: [0.8, 0.8, 2.5], margin: 1 },
  { size: [18, 18, 14], spacing: [0.7, 0.7, 3], margin: 0 },
];

/** Writes {@link scans} in the layout of the Decathlon; where there is a margin, a labelled voxel lies in it. */
async function writeScans(folder: string): Promise<string> {
  for (const kind of ['imagesTr', 'labelsTr']) await mkdir(join(folder, kind), { recursive: true });
  const description = { modality: { 0: 'T1', 1: 'T2' }, labels: { 0: 'background', 1: 'box', 2: 'core' } };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify({ ...description, numTraining: scans.length }));
  for (const [number, { size, spacing, margin }] of scans.entries()) {
    const [width, height, depth] = size;
    const voxels = width * height * depth;
    const image = new Int16Array(2 * voxels);
    const label = new Uint8Array(voxels);
    for (let i = 0; i < voxels; i++) {
      const at = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height))];
      const distance = Math.min(...at.map((index, axis) => Math.min(index, size[axis] - 1 - index)));
      if (distance < margin) continue;
      image[i] = 1 + ((at[0] * 7 + at[1] * 13 + at[2] * 29) % 101) + 50 * number;
      image[voxels + i] = (image[i] * image[i]) % 997;
      label[i] = distance < 3 ? 0 : distance < 4 ? 1 : 2;
    }
    label[0] = 1;
    const name = `scan_${number}.nii.gz`;
    const affine = straight(...spacing);
    await writeStated(join(folder, 'imagesTr', name), { shape: [...size, 2], data: image, affine });
    await writeStated(join(folder, 'labelsTr', name), { shape: size, data: label, affine });
  }
  return folder;
}

describe('of scans with zeros around them', async () => {
  const { fingerprint, dataset } = await planInputsOf(await readDataSet(await writeScans(join(root, 'Boxes'))));

  // nnunetv2 2.8.1: DatasetFingerprintExtractor.run on these files, a channel each. It draws 10^8 voxels, so its mean and deviation are not exact.
  it('shapes, spacings and what the crop leaves are those of nnU-Net', () => {
    expect(fingerprint).toMatchObject({
      shapes_after_crop: [
        [8, 20, 16],
        [8, 20, 28],
        [14, 18, 18],
      ],
      spacings: [
        [3, 0.75, 0.75],
        [2.5, 0.800000011920929, 0.800000011920929],
        [3, 0.699999988079071, 0.699999988079071],
      ],
      median_relative_size_after_cropping: 0.6787878787878788,
    });
    const [first, second] = Object.values(fingerprint.foreground_intensity_properties_per_channel);
    const near = (value: number) => expect.closeTo(value, 1);
    const ends = { min: 1, max: 201, percentile_00_5: 2, percentile_99_5: 200 };
    expect(first).toEqual({ mean: near(100.8131), median: 101, std: near(50.1302), ...ends });
    const others = { min: 1, max: 996, percentile_00_5: 4, percentile_99_5: 984 };
    expect(second).toEqual({ mean: near(482.8985), median: 482, std: near(291.7045), ...others });
  });

  it('every case weighs the same, and what is labelled where the scan is zero does not count', () => {
    // NumPy, of the labelled voxels within the crop: the mean of the cases' means. That of all their voxels is 96.554; with voxels outside it were 100.781.
    expect(fingerprint.foreground_intensity_properties_per_channel[0].mean).toBeCloseTo(100.813866, 5);
  });

  it('what nnU-Net has to be told of the data set is there', () => {
    expect(dataset).toEqual({
      name: 'Boxes',
      channels: ['T1', 'T2'],
      classes: 3,
      cases: 3,
      reader: 'SimpleITKIO',
    });
  });
});

it('regions and an ignored label count as nnU-Net counts the entries of "labels"', async () => {
  const folder = await writeScans(join(root, 'Regions'));
  const labels = { background: 0, whole: [1, 2], core: 2, ignore: 3 };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify({ channel_names: { 0: 'T1', 1: 'T2' }, labels }));
  expect((await planInputsOf(await readDataSet(folder))).dataset.classes).toBe(4);
});

it('a data set with damaged scans is refused, with all that is wrong', async () => {
  const folder = await writeScans(join(root, 'Damaged'));
  await writeFile(join(folder, 'imagesTr', 'scan_1.nii.gz'), 'no scan');
  await expect(readDataSet(folder).then((one) => planInputsOf(one))).rejects.toThrow(/scan_1\.nii\.gz: /);
});

/** What nnU-Net itself found in, and planned for, real data sets. */
interface Found {
  readonly relativeSize: number;
  readonly intensities: Readonly<Record<string, number>>;
  readonly slices: readonly [patch: readonly number[], batches: Readonly<Record<PresetName, number>>];
  readonly volumes: readonly [patch: readonly number[], batches: Readonly<Record<PresetName, number>>];
  readonly spacing: readonly number[];
  readonly medianImage: readonly number[];
}

// nnunetv2 2.8.1: DatasetFingerprintExtractor.run and plan_experiment of ExperimentPlanner, nnUNetPlannerResEncM and -L, on these files as its raw data.
const found: Readonly<Record<string, Found>> = {
  Prostate: {
    relativeSize: 0.99375,
    intensities: {
      mean: 340.105,
      median: 282,
      std: 288.09,
      min: 0,
      max: 7416,
      percentile_00_5: 32,
      percentile_99_5: 1963,
    },
    slices: [[160, 160], { default: 42, m: 129, l: 363 }],
    volumes: [[24, 160, 160], { default: 2, m: 6, l: 18 }],
    spacing: [3.5999999046325684, 1.25, 1.25],
    medianImage: [23, 159, 159],
  },
  Task04_Hippocampus: {
    relativeSize: 1,
    intensities: {
      mean: 19663.87,
      median: 360.449,
      std: 56157.18,
      min: 0,
      max: 486420.21875,
      percentile_00_5: 28,
      percentile_99_5: 264156.97,
    },
    slices: [[56, 40], { default: 292, m: 1618, l: 4554 }],
    volumes: [[40, 56, 40], { default: 7, m: 58, l: 146 }],
    spacing: [1, 1, 1],
    medianImage: [36, 50, 35],
  },
};
const real = realDataSets.filter((folder) => basename(folder) in found);

it.skipIf(real.length === 0)('of real scans, and the plans made from them (needs RONASMIS_TEST_DATA)', async () => {
  for (const folder of real) {
    const { relativeSize, intensities, slices, volumes, spacing, medianImage } = found[basename(folder)];
    const inputs = await planInputsOf(await readDataSet(folder));
    const [channel] = Object.values(inputs.fingerprint.foreground_intensity_properties_per_channel);
    expect(inputs.fingerprint.median_relative_size_after_cropping).toBe(relativeSize);
    // Where intensities are far apart, the voxels that nnU-Net draws leave two thousandths open.
    for (const [name, value] of Object.entries(channel))
      expect(Math.abs(value - intensities[name]), name).toBeLessThanOrEqual(0.002 * intensities[name]);
    for (const preset of ['default', 'm', 'l'] as const) {
      const { configurations } = planNnunet({ ...inputs, preset });
      expect(configurations['2d']).toMatchObject({ patch_size: slices[0], batch_size: slices[1][preset] });
      const planned = { patch_size: volumes[0], batch_size: volumes[1][preset], spacing, batch_dice: false };
      expect(configurations['3d_fullres']).toMatchObject({ ...planned, median_image_size_in_voxels: medianImage });
      expect(configurations['3d_lowres']).toBeUndefined();
    }
  }
});
