/** How a header field's numbers are stored. */
type NumberKind = 'uint8' | 'int16' | 'int32' | 'int64' | 'float32' | 'float64';

/** Where a field begins in the header, in bytes, and how each of its numbers is stored. */
export interface HeaderField {
  readonly at: number;
  readonly kind: NumberKind;
}

/** The fields that matter here, by their names in nifti1.h. */
export type FieldName =
  | 'dim'
  | 'intent_code'
  | 'datatype'
  | 'bitpix'
  | 'pixdim'
  | 'vox_offset'
  | 'scl_slope'
  | 'scl_inter'
  | 'cal_max'
  | 'cal_min'
  | 'xyzt_units'
  | 'qform_code'
  | 'sform_code'
  | 'quatern'
  | 'qoffset'
  | 'srow';

/** One version of the header; `quatern`, `qoffset` and `srow` stand for consecutive fields (b, c, d; x, y, z). */
export interface HeaderLayout {
  /** Bytes of the header; also its first field. */
  readonly size: 348 | 540;
  readonly magicAt: number;
  /** Of `descrip`, 80 bytes of text. */
  readonly descriptionAt: number;
  readonly fields: Readonly<Record<FieldName, HeaderField>>;
}

/** The two headers, as declared in nifti1.h and nifti2.h. */
export const HEADER_LAYOUTS: Readonly<Record<1 | 2, HeaderLayout>> = {
  1: {
    size: 348,
    magicAt: 344,
    descriptionAt: 148,
    fields: {
      dim: { at: 40, kind: 'int16' },
      intent_code: { at: 68, kind: 'int16' },
      datatype: { at: 70, kind: 'int16' },
      bitpix: { at: 72, kind: 'int16' },
      pixdim: { at: 76, kind: 'float32' },
      vox_offset: { at: 108, kind: 'float32' },
      scl_slope: { at: 112, kind: 'float32' },
      scl_inter: { at: 116, kind: 'float32' },
      xyzt_units: { at: 123, kind: 'uint8' },
      cal_max: { at: 124, kind: 'float32' },
      cal_min: { at: 128, kind: 'float32' },
      qform_code: { at: 252, kind: 'int16' },
      sform_code: { at: 254, kind: 'int16' },
      quatern: { at: 256, kind: 'float32' },
      qoffset: { at: 268, kind: 'float32' },
      srow: { at: 280, kind: 'float32' },
    },
  },
  2: {
    size: 540,
    magicAt: 4,
    descriptionAt: 240,
    fields: {
      datatype: { at: 12, kind: 'int16' },
      bitpix: { at: 14, kind: 'int16' },
      dim: { at: 16, kind: 'int64' },
      pixdim: { at: 104, kind: 'float64' },
      vox_offset: { at: 168, kind: 'int64' },
      scl_slope: { at: 176, kind: 'float64' },
      scl_inter: { at: 184, kind: 'float64' },
      cal_max: { at: 192, kind: 'float64' },
      cal_min: { at: 200, kind: 'float64' },
      qform_code: { at: 344, kind: 'int32' },
      sform_code: { at: 348, kind: 'int32' },
      quatern: { at: 352, kind: 'float64' },
      qoffset: { at: 376, kind: 'float64' },
      srow: { at: 400, kind: 'float64' },
      xyzt_units: { at: 500, kind: 'int32' },
      intent_code: { at: 504, kind: 'int32' },
    },
  },
};

interface NumberStorage {
  readonly bytes: number;
  readonly read: (view: DataView, at: number, littleEndian: boolean) => number;
  readonly write: (view: DataView, at: number, value: number, littleEndian: boolean) => void;
}

const STORAGE: Readonly<Record<NumberKind, NumberStorage>> = {
  uint8: { bytes: 1, read: (view, at) => view.getUint8(at), write: (view, at, value) => view.setUint8(at, value) },
  int16: {
    bytes: 2,
    read: (view, at, little) => view.getInt16(at, little),
    write: (view, at, value, little) => view.setInt16(at, value, little),
  },
  int32: {
    bytes: 4,
    read: (view, at, little) => view.getInt32(at, little),
    write: (view, at, value, little) => view.setInt32(at, value, little),
  },
  int64: {
    bytes: 8,
    read: (view, at, little) => Number(view.getBigInt64(at, little)),
    write: (view, at, value, little) => view.setBigInt64(at, BigInt(value), little),
  },
  float32: {
    bytes: 4,
    read: (view, at, little) => view.getFloat32(at, little),
    write: (view, at, value, little) => view.setFloat32(at, value, little),
  },
  float64: {
    bytes: 8,
    read: (view, at, little) => view.getFloat64(at, little),
    write: (view, at, value, little) => view.setFloat64(at, value, little),
  },
};

/** The bytes of a header, and their order. */
export interface HeaderBytes {
  readonly view: DataView;
  readonly littleEndian: boolean;
}

/** The `index`th number of a field. 64-bit integers beyond 2^53 lose their last digits. */
export function readField({ view, littleEndian }: HeaderBytes, { at, kind }: HeaderField, index: number): number {
  return STORAGE[kind].read(view, at + index * STORAGE[kind].bytes, littleEndian);
}

/** Writes the `index`th number of a field. */
export function writeField(
  { view, littleEndian }: HeaderBytes,
  { at, kind }: HeaderField,
  index: number,
  value: number,
): void {
  STORAGE[kind].write(view, at + index * STORAGE[kind].bytes, value, littleEndian);
}

/** Bytes of a header's description (`descrip`). */
export const DESCRIPTION_BYTES = 80;

/** The text of a header's description: a byte a character, up to the first that is 0. */
export const textOf = (description: Uint8Array): string =>
  Array.from(description, (byte) => String.fromCharCode(byte))
    .join('')
    .split('\0')[0];
