import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Affine, orientationOf, spacingOf } from '../../src/formats/affine.ts';
import { readNifti } from '../../src/formats/nifti.ts';
import { inverseOf, turnBetween, turnTo, turnTwice, turnVolume, turnVoxels } from '../../src/formats/orientation.ts';
import { statedSizes } from '../../src/formats/volume.ts';
import { temporaryFolder, writeStated } from './scans.ts';

const affineSchema = z.array(z.tuple([z.number(), z.number(), z.number(), z.number()]));
/** Made by nibabel: reference/orientation.py. */
const reference = z
  .object({
    affine: affineSchema,
    shape: z.array(z.number()),
    turned: z.record(
      z.string(),
      z.object({ shape: z.array(z.number()), affine: affineSchema, data: z.array(z.number()) }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../reference/orientation.json', import.meta.url), 'utf8')));
const orientations = Object.keys(reference.turned);

const folder = await temporaryFolder();
const file = join(folder, 'oblique.nii');
const count = reference.shape.reduce((product, size) => product * size, 1);
await writeStated(file, {
  shape: reference.shape,
  data: Int16Array.from({ length: count }, (_, i) => i),
  affine: reference.affine,
});
const volume = await readNifti(file);

/** Where a voxel lies, in millimetres. */
function placeOf(affine: Affine, voxel: readonly number[]): readonly number[] {
  return affine.slice(0, 3).map((row) => row[0] * voxel[0] + row[1] * voxel[1] + row[2] * voxel[2] + row[3]);
}

describe('turning a volume', () => {
  it.each(orientations)('to %s is what nibabel makes of it', (orientation) => {
    const turned = turnVolume(volume, turnTo(volume, orientation));
    const expected = reference.turned[orientation];
    expect(statedSizes(turned)).toEqual(expected.shape);
    expect([...turned.data]).toEqual(expected.data);
    turned.affine.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(value).toBeCloseTo(expected.affine[i][j], 5);
      });
    });
    expect(turned.spacing.toReversed()).toEqual(spacingOf(turned.affine));
    expect(orientationOf(turned.affine)).toBe(orientation);
  });

  const anyOrientation = fc.constantFrom(...orientations);

  it('leaves every voxel where it is', () => {
    const [depth, height, width] = volume.shape;
    const property = fc.property(anyOrientation, fc.nat(width * height * depth - 1), (orientation, index) => {
      const turned = turnVolume(volume, turnTo(volume, orientation));
      const at = turned.data.indexOf(volume.data[index]);
      const voxel = [index % width, Math.floor(index / width) % height, Math.floor(index / width / height)];
      const [, turnedHeight, turnedWidth] = turned.shape;
      const turnedVoxel = [
        at % turnedWidth,
        Math.floor(at / turnedWidth) % turnedHeight,
        Math.floor(at / turnedWidth / turnedHeight),
      ];
      const [before, after] = [placeOf(volume.affine, voxel), placeOf(turned.affine, turnedVoxel)];
      before.forEach((millimetres, axis) => {
        expect(after[axis]).toBeCloseTo(millimetres, 5);
      });
    });
    fc.assert(property);
  });

  it('and back gives the volume, whatever its type', () => {
    const property = fc.property(anyOrientation, anyOrientation, (from, to) => {
      const data = Float32Array.from({ length: 24 }, (_, i) => i / 7);
      const there = turnBetween(from, to);
      const turnedSize = there.axes.map((axis) => [2, 3, 4][axis]);
      const [x, y, z] = turnedSize;
      const turned = turnVoxels(data, [4, 3, 2], there);
      expect(turned).toBeInstanceOf(Float32Array);
      expect(turnVoxels(turned, [z, y, x], turnBetween(to, from))).toEqual(data);
    });
    fc.assert(property);
  });

  it('is free where it points there already', () => {
    expect(turnVolume(volume, turnTo(volume, orientationOf(volume.affine)))).toBe(volume);
  });

  it('twice is turning once, and its inverse turns back', () => {
    const property = fc.property(anyOrientation, anyOrientation, anyOrientation, (from, by, to) => {
      const [first, second] = [turnBetween(from, by), turnBetween(by, to)];
      expect(turnTwice(first, second)).toEqual(turnBetween(from, to));
      expect(inverseOf(first)).toEqual(turnBetween(by, from));
    });
    fc.assert(property);
  });
});
