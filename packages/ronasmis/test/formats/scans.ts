import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll } from 'vitest';
import type { Random } from '../../src/base/random.ts';
import type { Voxels } from '../../src/base/voxels.ts';
import { type Affine, spacingOf } from '../../src/formats/affine.ts';
import { createHeaderBytes, describeValues } from '../../src/formats/nifti-header.ts';
import { voxelTypeOf } from '../../src/formats/nifti-types.ts';

const realFolder = process.env.RONASMIS_TEST_DATA;

/** The data sets in the folder that RONASMIS_TEST_DATA names; none without it. */
export const realDataSets: readonly string[] = realFolder
  ? readdirSync(realFolder)
      .map((name) => join(realFolder, name))
      .filter((folder) => existsSync(join(folder, 'dataset.json')))
  : [];

/** One-millimetre voxels, or others, without rotation. */
export const straight = (x = 1, y = 1, z = 1, left = 0): Affine => [
  [x, 0, 0, left],
  [0, y, 0, 0],
  [0, 0, z, 0],
  [0, 0, 0, 1],
];

/** A NIfTI file of the sizes that its header states, x, y, z and whatever is behind them; packed where its name says so. */
export async function writeStated(
  file: string,
  { shape, data, affine }: { readonly shape: readonly number[]; readonly data: Voxels; readonly affine: Affine },
): Promise<void> {
  const header = describeValues(createHeaderBytes(affine), file, shape, voxelTypeOf(data));
  const bytes = Buffer.concat([header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
  await writeFile(file, file.endsWith('.gz') ? gzipSync(bytes, { level: 1 }) : bytes);
}

/** A folder that is removed after the tests of this file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ronasmis-data-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** One case of a data set made for a test; shapes are x, y, z[, channel]. */
export interface TestCase {
  readonly name: string;
  readonly image: { readonly shape: readonly number[]; readonly data: Voxels; readonly affine?: Affine };
  readonly label: { readonly shape: readonly number[]; readonly data: Voxels; readonly affine?: Affine };
}

/** A case whose image is noise and whose label is a box of class 1 with a core of class 2. */
export function boxCase(
  name: string,
  random: Random,
  [x, y, z]: readonly number[] = [8, 7, 6],
  channels = 1,
): TestCase {
  const voxels = x * y * z;
  const image = Int16Array.from({ length: voxels * channels }, () => 1 + random.integer(500));
  const label = Uint8Array.from({ length: voxels }, (_, i) => {
    const [column, row] = [i % x, Math.floor(i / x) % y];
    if (column < 2 || column > 5 || row < 2 || row > 5) return 0;
    return column === 3 ? 2 : 1;
  });
  return {
    name,
    image: { shape: channels === 1 ? [x, y, z] : [x, y, z, channels], data: image },
    label: { shape: [x, y, z], data: label },
  };
}

/** A cube of 24 mm of two channels that are not 0 in a ball alone, and within it are 0 in a smaller one: a hole of what is not 0. A label is in its middle. @param edge of its voxels, in millimetres */
export function ballCase(name: string, random: Random, edge = 1): TestCase {
  const size = Math.round(24 / edge);
  const distanceOf = (voxel: number): number =>
    Math.hypot(
      ...[voxel % size, Math.floor(voxel / size) % size, Math.floor(voxel / size ** 2)].map(
        (at) => (at + 0.5) * edge - 12,
      ),
    );
  const distances = Float64Array.from({ length: size ** 3 }, (_, voxel) => distanceOf(voxel));
  const channel = (offset: number) =>
    Array.from(distances, (distance) => (distance > 9 || distance < 2 ? 0 : offset + random.integer(50)));
  const affine = straight(edge, edge, edge);
  return {
    name,
    image: { shape: [size, size, size, 2], data: Int16Array.from([...channel(100), ...channel(300)]), affine },
    label: {
      shape: [size, size, size],
      data: Uint8Array.from(distances, (distance) => (distance < 5 ? 1 : 0)),
      affine,
    },
  };
}

/** A NRRD file of a volume, uncompressed. */
export function nrrdBytes({ shape, data, affine = straight() }: TestCase['image']): Uint8Array {
  const column = (axis: 0 | 1 | 2) => `(${affine.slice(0, 3).map((row) => row[axis])})`;
  const header = [
    'NRRD0004',
    `type: ${voxelTypeOf(data).name}`,
    'dimension: 3',
    'space: right-anterior-superior',
    `sizes: ${shape.join(' ')}`,
    `space directions: ${column(0)} ${column(1)} ${column(2)}`,
    `space origin: (${affine.slice(0, 3).map((row) => row[3])})`,
    'endian: little',
    'encoding: raw',
  ];
  return Buffer.concat([Buffer.from(`${header.join('\n')}\n\n`), new Uint8Array(data.buffer)]);
}

/** A MetaImage file of a uint8 volume, compressed. */
export function metaImageBytes({ shape, data, affine = straight() }: TestCase['image']): Uint8Array {
  const voxels = deflateSync(Uint8Array.from(data));
  const towards = [-1, -1, 1];
  const direction = [0, 1, 2].flatMap((column) =>
    towards.map((sign, row) => (sign * affine[row][column]) / spacingOf(affine)[column]),
  );
  const header = [
    'ObjectType = Image',
    'NDims = 3',
    'BinaryData = True',
    'BinaryDataByteOrderMSB = False',
    'CompressedData = True',
    `CompressedDataSize = ${voxels.length}`,
    `TransformMatrix = ${direction.join(' ')}`,
    `Offset = ${towards.map((sign, row) => sign * affine[row][3]).join(' ')}`,
    `ElementSpacing = ${spacingOf(affine).join(' ')}`,
    `DimSize = ${shape.join(' ')}`,
    'ElementType = MET_UCHAR',
    'ElementDataFile = LOCAL',
  ];
  return Buffer.concat([Buffer.from(`${header.join('\n')}\n`), voxels]);
}

/** Writes cases and a `dataset.json` that lists them; `overrides` replace its entries (undefined removes one). */
export async function writeDataSet(
  folder: string,
  cases: readonly TestCase[],
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  for (const sub of ['imagesTr', 'labelsTr']) await mkdir(join(folder, sub), { recursive: true });
  for (const { name, image, label } of cases) {
    await writeStated(join(folder, 'imagesTr', `${name}.nii.gz`), { affine: straight(), ...image });
    await writeStated(join(folder, 'labelsTr', `${name}.nii.gz`), { affine: straight(), ...label });
  }
  const description = {
    name: 'Boxes',
    modality: { 0: 'MRI' },
    labels: { 0: 'background', 1: 'box', 2: 'core' },
    training: cases.map(({ name }) => ({ image: `./imagesTr/${name}.nii.gz`, label: `./labelsTr/${name}.nii.gz` })),
    ...overrides,
  };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(description));
  return folder;
}
