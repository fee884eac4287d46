import { readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../src/base/errors.ts';
import { decodeNifti, readNifti, readNiftiHeader, writeNifti } from '../../src/formats/nifti.ts';
import { statedSizes } from '../../src/formats/volume.ts';
import { straight, temporaryFolder } from './scans.ts';

// Files and expected values come from nibabel: see make-nifti-fixtures.py.
const fixtures = z
  .array(
    z.object({
      name: z.string(),
      gzip: z.string(),
      shape: z.array(z.number()),
      affine: z.array(z.array(z.number())),
      values: z.array(z.number()),
    }),
  )
  .parse(JSON.parse(readFileSync(new URL('nifti-fixtures.json', import.meta.url), 'utf8')));

const folder = await temporaryFolder();

function storedFixture(name: string): Buffer {
  const fixture = fixtures.find((candidate) => candidate.name === name);
  if (!fixture) throw new Error(`no fixture ${name}`);
  return gunzipSync(Buffer.from(fixture.gzip, 'base64'));
}

describe('reading what nibabel wrote', () => {
  test.each(fixtures)('$name', async ({ gzip, shape, affine, values }) => {
    const compressed = Buffer.from(gzip, 'base64');
    for (const bytes of [compressed, gunzipSync(compressed)]) {
      const volume = await decodeNifti('scan.nii.gz', bytes);
      // nibabel leaves out an axis that the header leaves out.
      expect(statedSizes(volume)).toEqual(shape.length === 2 ? [...shape, 1] : shape);
      expect([...volume.data]).toEqual(values);
      volume.affine.flat().forEach((value, i) => {
        expect(value).toBeCloseTo(affine.flat()[i], 5);
      });
    }
  });

  test('the header alone says the same', async () => {
    const file = join(folder, 'header.nii.gz');
    await writeFile(file, Buffer.from(fixtures[0].gzip, 'base64'));
    const { shape, affine, spacing, voxelType } = await readNiftiHeader(file);
    expect({ shape, type: voxelType.name }).toEqual({ shape: [2, 4, 3], type: 'uint8' });
    expect(affine[0][3]).toBe(10);
    // numpy 2.4: numpy.linalg.norm(SHEARED[:3, 2]) of make-nifti-fixtures.py
    expect(spacing[0]).toBeCloseTo(2.469818, 5);
  });

  test('voxel sizes in micrometres become millimetres', async () => {
    const bytes = storedFixture('no form');
    bytes[123] = 3;
    const { spacing } = await decodeNifti('scan.nii', bytes);
    expect(spacing[2]).toBeCloseTo(0.0015, 9);
  });
});

describe('writing', () => {
  test('a label map keeps the grid, form codes, units, byte order and extensions of its scan', async () => {
    for (const { name, affine } of fixtures.filter(({ shape }) => shape.length === 3)) {
      const stored = storedFixture(name);
      const scan = await decodeNifti('scan.nii', stored);
      const file = join(folder, 'label.nii.gz');
      const data = Uint8Array.from({ length: 24 }, (_, i) => i % 3);
      await writeNifti(file, { shape: scan.shape, data, prefix: scan.prefix });
      const label = await readNifti(file);
      expect([label.voxelType.name, label.version, label.littleEndian]).toEqual([
        'uint8',
        scan.version,
        scan.littleEndian,
      ]);
      expect(label.data).toEqual(data);
      expect(label.affine).toEqual(scan.affine);
      expect(label.affine[2][3]).toBeCloseTo(affine[2][3], 5);
      const [codesFrom, codesTo] = scan.version === 1 ? [252, 328] : [344, 496];
      expect(label.prefix.subarray(codesFrom, codesTo)).toEqual(scan.prefix.subarray(codesFrom, codesTo));
      expect(label.prefix.subarray(scan.version === 1 ? 348 : 540)).toEqual(
        scan.prefix.subarray(scan.version === 1 ? 348 : 540),
      );
    }
  });

  test('any values on a new grid are read back', async () => {
    const arrays = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 30 }),
      fc.int16Array({ minLength: 1, maxLength: 30 }),
      fc.int32Array({ minLength: 1, maxLength: 30 }),
      fc.float32Array({ minLength: 1, maxLength: 30 }),
      fc.float64Array({ minLength: 1, maxLength: 30 }),
    );
    await fc.assert(
      fc.asyncProperty(arrays, fc.constantFrom('.nii', '.nii.gz'), async (data, ending) => {
        const file = join(folder, `any${ending}`);
        await writeNifti(file, { shape: [1, 1, data.length], data, affine: straight(1, 2, 3, 4) });
        const volume = await readNifti(file);
        expect(volume.data).toEqual(data);
        expect(volume.shape).toEqual([1, 1, data.length]);
        expect(volume.spacing).toEqual([3, 2, 1]);
      }),
      { numRuns: 25 },
    );
  });

  test('leaves no temporary file, and says where it cannot write', async () => {
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
    const file = join(folder, 'missing', 'label.nii.gz');
    const written = writeNifti(file, { shape: [1, 1, 1], data: new Uint8Array(1), affine: straight() });
    await expect(written).rejects.toThrow(`${file}: there is no such file or folder. Check the path.`);
  });
});

describe('what the user can fix is said in a sentence', () => {
  const edited = (edit: (view: DataView) => void): Buffer => {
    const bytes = storedFixture('NIfTI-1 int16 <');
    edit(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return bytes;
  };
  const whole = gzipSync(storedFixture('NIfTI-1 int16 <'));
  test.each<[string, Uint8Array, string]>([
    ['no NIfTI', Buffer.from('not a scan'), 'this is not a NIfTI file'],
    ['an empty file', new Uint8Array(), 'the file is empty'],
    ['a truncated header', storedFixture('NIfTI-1 int16 <').subarray(0, 200), 'it ends within its header'],
    ['a truncated gzip', whole.subarray(0, whole.length - 20), 'truncated'],
    ['a damaged gzip', Buffer.concat([whole.subarray(0, 10), Buffer.from('damage'), whole.subarray(20)]), 'damaged'],
    [
      'a truncated file',
      storedFixture('NIfTI-1 int16 <').subarray(0, 370),
      'too short for the 3 x 4 x 2 voxels of int16',
    ],
    ['a wrong magic', edited((view) => view.setUint8(345, 0x20)), 'this is not a NIfTI file'],
    ['half a pair', edited((view) => view.setUint8(345, 0x69)), 'one half of a .hdr/.img pair'],
    ['complex voxels', edited((view) => view.setInt16(70, 32, true)), 'complex numbers'],
    ['colours', edited((view) => view.setInt16(70, 128, true)), 'RGB colours'],
    ['an unknown type', edited((view) => view.setInt16(70, 77, true)), 'unknown type 77'],
    ['no dimensions', edited((view) => view.setInt16(40, 0, true)), '0 dimensions'],
    ['a negative size', edited((view) => view.setInt16(42, -3, true)), 'impossible shape -3 x 4 x 2'],
    ['a huge size', edited((view) => view.setInt16(42, 32767, true)), 'too short for the 32767 x 4 x 2'],
    ['an offset in the header', edited((view) => view.setFloat32(108, 100, true)), 'begin at byte 100'],
    [
      'an affine that is not finite',
      edited((view) => view.setFloat32(280, Number.NaN, true)),
      'singular or not finite',
    ],
    ['a singular affine', edited((view) => new Uint8Array(view.buffer, view.byteOffset + 280, 16).fill(0)), 'singular'],
    ['trailing bytes', Buffer.concat([storedFixture('NIfTI-1 int16 <'), new Uint8Array(70_000)]), 'longer than'],
    [
      'a gzip that unpacks to more',
      gzipSync(Buffer.concat([storedFixture('NIfTI-1 int16 <'), new Uint8Array(70_000)])),
      'holds more',
    ],
  ])('%s', async (_, bytes, sentence) => {
    const decoded = decodeNifti('folder/scan.nii.gz', bytes);
    await expect(decoded).rejects.toThrow(UserError);
    await expect(decoded).rejects.toThrow(/^folder\/scan.nii.gz: .*\.$/);
    await expect(decoded).rejects.toThrow(sentence);
  });

  test('a NIfTI-2 header that claims petabytes allocates nothing', async () => {
    const bytes = storedFixture('NIfTI-2 float64 <');
    bytes.writeBigInt64LE(2n ** 40n, 24);
    await expect(decodeNifti('scan.nii.gz', gzipSync(bytes))).rejects.toThrow(
      'too short for the 1099511627776 x 4 x 2',
    );
  });

  test('a missing file and a folder', async () => {
    await expect(readNifti(join(folder, 'none.nii.gz'))).rejects.toThrow('there is no such file');
    await expect(readNiftiHeader(folder)).rejects.toThrow('this is a folder');
  });

  test('damage anywhere in a file is a UserError or another volume, never a crash', async () => {
    const file = join(folder, 'damage.nii.gz');
    await writeNifti(file, { shape: [4, 4, 4], data: new Int16Array(64).fill(7), affine: straight() });
    const compressed = await readFile(file);
    const stored = gunzipSync(compressed);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(compressed, stored),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        async (bytes, at, value) => {
          const damaged = Uint8Array.from(bytes);
          damaged[at % damaged.length] = value;
          await decodeNifti('damaged.nii.gz', damaged).catch((error: unknown) => {
            expect(error).toBeInstanceOf(UserError);
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});
