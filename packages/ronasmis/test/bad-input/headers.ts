import { type Inputs, withBytes } from './inputs.ts';

/** A header with another number in a field of 16 bits, by its place in nifti1.h. */
const int16 = (at: number, value: number) => withBytes((bytes) => bytes.writeInt16LE(value, at));
/** The same for a 32-bit floating point number. */
const float32 = (at: number, value: number) => withBytes((bytes) => bytes.writeFloatLE(value, at));

/** As `float32`, in a header that states its affine as a quaternion and voxel sizes. */
const withQform = (at: number, value: number) =>
  withBytes((bytes) => {
    bytes.writeInt16LE(1, 252);
    bytes.writeInt16LE(0, 254);
    bytes.writeFloatLE(value, at);
  });

const [dim, datatype, bitpix, pixdim, voxOffset, sclSlope, sclInter, quatern, srow] = [
  40, 70, 72, 76, 108, 112, 116, 256, 280,
];

/** What is wrong with the header of a NIfTI file. */
export const headers: Inputs = {
  'A wrong magic': withBytes((bytes) => bytes.write('NII', 344)),
  'A wrong size of the header (sizeof_hdr)': withBytes((bytes) => bytes.writeInt32LE(347)),
  'A header out of a .hdr/.img pair': withBytes((bytes) => bytes.write('ni1', 344)),
  'No dimensions': int16(dim, 0),
  'More than 7 dimensions': int16(dim, 8),
  'A length of 0 voxels': int16(dim + 4, 0),
  'A negative length': int16(dim + 2, -16),
  'Lengths whose product is beyond all numbers': withBytes((bytes) => {
    [7, 32767, 32767, 32767, 32767, 32767, 32767, 32767].forEach((size, axis) => {
      bytes.writeInt16LE(size, dim + 2 * axis);
    });
  }),
  'More voxels than the file has': int16(dim + 6, 3000),
  'An unknown data type': int16(datatype, 77),
  'Complex voxels': int16(datatype, 32),
  'Colours (RGB)': int16(datatype, 128),
  'Numbers of 128 bits': int16(datatype, 1536),
  'Voxels that begin within the header': float32(voxOffset, 100),
  'Voxels that begin between two bytes': float32(voxOffset, 352.5),
  'Voxels that begin behind the end of the file': float32(voxOffset, 1e6),
  'A spacing that is not a number': withQform(pixdim + 8, Number.NaN),
  'An affine without an inverse': withBytes((bytes) => bytes.fill(0, srow, srow + 16)),
  'An affine that is not a number': float32(srow, Number.NaN),
  'An infinite affine': float32(srow + 12, Number.POSITIVE_INFINITY),
  'A quaternion that is not a number': withQform(quatern, Number.NaN),
  'An intercept that is not a number': withBytes((bytes) => {
    bytes.writeFloatLE(2, sclSlope);
    bytes.writeFloatLE(Number.NaN, sclInter);
  }),
  'A slope that makes voxels infinite': float32(sclSlope, 3e38),
  'Five dimensions': withBytes((bytes) => {
    [5, 16, 16, 16, 2, 2].forEach((size, axis) => {
      bytes.writeInt16LE(size, dim + 2 * axis);
    });
    const voxels = bytes.subarray(352);
    return Buffer.concat([bytes, voxels, voxels, voxels]);
  }),
  'An sform whose rows are one another but for rounding, beside a sound qform': withBytes((bytes) => {
    bytes.writeInt16LE(1, 252);
    [0.1, 0.2, 0.3, 0, 0.4, 0.5, 0.6, 0, 0.7, 0.8, 0.9, 0].forEach((value, i) => {
      bytes.writeFloatLE(value, srow + 4 * i);
    });
  }),
  'An sform of rounding errors alone': withBytes((bytes) => {
    [1e-8, 0, 0, 0, 0, 1e-8, 0, 0, 0, 0, 1e-8, 0].forEach((value, i) => {
      bytes.writeFloatLE(value, srow + 4 * i);
    });
  }),
  'A vector for each voxel, as ITK writes it': withBytes((bytes) => {
    [5, 16, 16, 16, 1, 2].forEach((size, axis) => {
      bytes.writeInt16LE(size, dim + 2 * axis);
    });
    return Buffer.concat([bytes, bytes.subarray(352)]);
  }),
  'An sform without an inverse beside a sound qform': withBytes((bytes) => {
    bytes.writeInt16LE(1, 252);
    bytes.fill(0, srow, srow + 48);
  }),
  'Another byte order': withBytes((bytes) => {
    const fields = [
      { from: 0, to: 4, width: 4 },
      { from: 40, to: 56, width: 2 },
      { from: 68, to: 76, width: 2 },
      { from: 76, to: 124, width: 4 },
      { from: 252, to: 256, width: 2 },
      { from: 256, to: 328, width: 4 },
      { from: 352, to: bytes.length, width: 2 },
    ];
    for (const { from, to, width } of fields) {
      if (width === 2) bytes.subarray(from, to).swap16();
      else bytes.subarray(from, to).swap32();
    }
  }),
  'Bits per voxel that contradict the data type': int16(bitpix, 64),
  'A negative spacing': withQform(pixdim + 4, -1),
  'A spacing of 0': withQform(pixdim + 12, 0),
  'A slope of 0': float32(sclSlope, 0),
  'A slope that is not a number': float32(sclSlope, Number.NaN),
};
