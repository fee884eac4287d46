import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import type { Affine } from '../../src/formats/affine.ts';
import { volumeOn } from '../../src/formats/nifti-header.ts';
import { turnBetween, turnVolume } from '../../src/formats/orientation.ts';
import { placeOn } from '../../src/formats/placement.ts';
import { statedGrid, type Volume } from '../../src/formats/volume.ts';
import { straight } from './scans.ts';

const size: Triple = [9, 8, 7];
const volumeOf = (affine: Affine, shape: readonly number[] = size): Volume => {
  const voxels = shape.reduce((product, length) => product * length, 1);
  return volumeOn(
    'a.nii.gz',
    statedGrid('a.nii.gz', shape, affine),
    Int16Array.from({ length: voxels }, (_, i) => i),
  );
};

/** A grid of these spacings, rotated about an axis by an angle in degrees. */
function rotated(degrees: number, axis: 0 | 1 | 2, [sx, sy, sz]: Triple = [1, 1, 1]): Affine {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const rotations = [
    [
      [1, 0, 0],
      [0, c, -s],
      [0, s, c],
    ],
    [
      [c, 0, s],
      [0, 1, 0],
      [-s, 0, c],
    ],
    [
      [c, -s, 0],
      [s, c, 0],
      [0, 0, 1],
    ],
  ] as const;
  const rows = rotations[axis].map(([x, y, z], row) => [x * sx, y * sy, z * sz, 10 * row - 20] as const);
  return [...rows, [0, 0, 0, 1]];
}

const anyTurn = fc
  .tuple(fc.constantFrom('RAS', 'ASR', 'SRA', 'RSA', 'ARS', 'SAR'), fc.boolean(), fc.boolean(), fc.boolean())
  .map(([axes, ...mirrors]) => {
    const opposite: Readonly<Record<string, string>> = { R: 'L', A: 'P', S: 'I' };
    const to = [...axes].map((letter, i) => (mirrors[i] ? opposite[letter] : letter)).join('');
    return turnBetween('RAS', to);
  });

describe('placeOn', () => {
  it('finds the voxel order of another grid at any angle, by its own header', () => {
    const anyAngle = fc.oneof(
      fc.constantFrom(0, 45, 90, 135, -45, 44.999_99, 45.000_01),
      fc.double({ min: -180, max: 180, noNaN: true }),
    );
    const anySpacing = fc.constantFrom<Triple>([1, 1, 1], [0.7, 0.7, 5], [2, 0.5, 1]);
    const property = fc.property(
      anyAngle,
      fc.constantFrom(0, 1, 2),
      anySpacing,
      anyTurn,
      (degrees, axis, spacing, turn) => {
        const image = volumeOf(rotated(degrees, axis, spacing));
        const label = turnVolume(image, turn);
        const placed = placeOn(label, image);
        expect(placed.kind).toBe('same');
        expect([placed.volume.shape, placed.volume.data]).toEqual([image.shape, image.data]);
        expect(placed.volume.affine).toBe(image.affine);
        expect(turnVolume(label, placed.turn).data).toEqual(image.data);
      },
    );
    fc.assert(property);
  });

  it.each([
    [0.0009, 'same'],
    [0.09, 'same'],
    [0.11, 'near'],
    [0.49, 'near'],
    [0.5, 'elsewhere'],
    [3, 'elsewhere'],
  ])('takes %s voxels apart as %s, along thick slices and within them', (voxels, kind) => {
    const spacing: Triple = [0.8, 1.2, 6];
    const image = volumeOf(rotated(20, 0, spacing));
    for (const axis of [0, 1, 2] as const) {
      const affine = image.affine.map((row): Affine[number] => [row[0], row[1], row[2], row[3] + row[axis] * voxels]);
      const placed = placeOn(volumeOf([...affine.slice(0, 3), [0, 0, 0, 1]]), image);
      expect(placed.kind).toBe(kind);
      const millimetres = Number((voxels * spacing[axis]).toPrecision(3));
      expect(placed.what).toBe(
        `its corners lie up to ${millimetres.toPrecision(3)} mm (${voxels.toPrecision(3)} voxels) from those of a.nii.gz`,
      );
    }
  });

  it('measures at the corners: a spacing that is a little off tells at the far end', () => {
    const image = volumeOf(straight());
    expect(placeOn(volumeOf(straight(1.02)), image).kind).toBe('near');
    expect(placeOn(volumeOf(straight(1.1)), image).what).toBe(
      'its corners lie up to 0.800 mm (0.800 voxels) from those of a.nii.gz',
    );
  });

  it('refuses other sizes and several channels', () => {
    const image = volumeOf(straight());
    expect(placeOn(volumeOf(straight(), [9, 8, 6]), image)).toMatchObject({
      kind: 'elsewhere',
      what: 'its 9 x 8 x 6 voxels do not fit the 9 x 8 x 7 of a.nii.gz',
    });
    const label = volumeOf(straight(), [9, 8]);
    expect(placeOn(label, image)).toMatchObject({ kind: 'elsewhere', volume: label });
    expect(label.shape).toEqual([1, 8, 9]);
    const vectors = volumeOf(straight(), [9, 8, 7, 2]);
    expect(placeOn(vectors, image)).toMatchObject({ kind: 'elsewhere', volume: vectors });
  });

  it('says how far, and not that sizes differ, where a grid of the same size is rotated', () => {
    expect(placeOn(volumeOf(rotated(50, 0)), volumeOf(rotated(0, 0))).what).toMatch(/^its corners lie up to .* mm/);
  });
});
