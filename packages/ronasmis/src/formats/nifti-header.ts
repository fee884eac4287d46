import { UserError } from '../base/errors.ts';
import type { Triple } from '../base/geometry.ts';
import type { Voxels } from '../base/voxels.ts';
import {
  type Affine,
  affineFromQuaternion,
  affineFromVoxelSizes,
  isPlaced,
  requirePlaced,
  spacingOf,
} from './affine.ts';
import { DESCRIPTION_BYTES, type FieldName, HEADER_LAYOUTS, readField, textOf, writeField } from './nifti-layout.ts';
import { type VoxelType, voxelTypeByCode, voxelTypeOf } from './nifti-types.ts';
import { type Grid, statedGrid, statedSizes, type Volume } from './volume.ts';

/** What a NIfTI-1 or NIfTI-2 header says, checked. */
export interface NiftiHeader extends Grid {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  readonly voxelType: VoxelType;
  /** Where the voxels begin, in bytes. */
  readonly dataOffset: number;
  /** What its writer says of it (`descrip`). */
  readonly description: string;
  /** True value = stored value * slope + intercept; undefined where the stored values are the true ones. */
  readonly scale: { readonly slope: number; readonly intercept: number } | undefined;
}

/** The longest header proper, in bytes: what has to be read before anything is known. */
export const MAX_HEADER_BYTES = HEADER_LAYOUTS[2].size;

/**
 * Reads and checks a header. The affine follows nibabel: sform before qform before voxel sizes; a wrong form code is none, and so is an sform
 * that is singular or not finite beside a qform that is sound. Voxel sizes are taken positive (0 means 1). Metres and micrometres become millimetres.
 * @throws UserError naming `file`, for what is no single-file NIfTI or cannot be true.
 */
export function parseHeader(bytes: Uint8Array, file: string): NiftiHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { version, littleEndian } = identify(view, file);
  const layout = HEADER_LAYOUTS[version];
  const field = (name: FieldName, index = 0) => readField({ view, littleEndian }, layout.fields[name], index);

  const sizes = readSizes(field('dim'), (axis) => field('dim', axis), file);
  const voxelType = voxelTypeByCode(field('datatype'), file);
  const dataOffset = field('vox_offset') || layout.size + EXTENSION_FLAG_BYTES;
  if (!Number.isSafeInteger(dataOffset) || dataOffset < layout.size) {
    throw new UserError(`${file}: the header says that the voxels begin at byte ${dataOffset}. Export the file again.`);
  }
  const affine = readAffine(field, sizes, file);
  const slope = field('scl_slope');
  const intercept = field('scl_inter');
  const isScaled = Number.isFinite(slope) && slope !== 0 && !(slope === 1 && intercept === 0);
  if (isScaled && !Number.isFinite(intercept)) {
    throw new UserError(`${file}: the intercept (scl_inter) is ${intercept}. Export the file again.`);
  }
  const scale = isScaled ? { slope, intercept } : undefined;
  const description = textOf(bytes.subarray(layout.descriptionAt, layout.descriptionAt + DESCRIPTION_BYTES));
  const described = { version, littleEndian, voxelType, dataOffset, description, scale };
  return { ...described, ...statedGrid(file, sizes, affine) };
}

/** The four bytes behind a header that say whether extensions follow. */
const EXTENSION_FLAG_BYTES = 4;

function identify(view: DataView, file: string): Pick<NiftiHeader, 'version' | 'littleEndian'> {
  for (const version of [1, 2] as const) {
    const { size, magicAt } = HEADER_LAYOUTS[version];
    if (view.byteLength < size) continue;
    for (const littleEndian of [true, false]) {
      if (view.getInt32(0, littleEndian) !== size) continue;
      const magic = String.fromCharCode(...[0, 1, 2].map((i) => view.getUint8(magicAt + i)));
      if (magic === `n+${version}`) return { version, littleEndian };
      if (magic === `ni${version}`) {
        throw new UserError(`${file}: this is one half of a .hdr/.img pair. Convert it to a single .nii.gz file.`);
      }
    }
  }
  const begins = view.byteLength < 4 ? [] : [true, false].map((littleEndian) => view.getInt32(0, littleEndian));
  if (Object.values(HEADER_LAYOUTS).some(({ size }) => view.byteLength < size && begins.includes(size)))
    throw new UserError(`${file}: the file is truncated: it ends within its header. Copy or export it again.`);
  throw new UserError(`${file}: this is not a NIfTI file (no NIfTI-1 or NIfTI-2 header). Convert the scan to .nii.gz.`);
}

/** Along x, y, z and whatever is behind them. */
function readSizes(dimensions: number, size: (axis: number) => number, file: string): readonly number[] {
  if (!(dimensions >= 1 && dimensions <= 7)) {
    throw new UserError(`${file}: the header states ${dimensions} dimensions; 1 to 7 are possible. Export it again.`);
  }
  const sizes = Array.from({ length: dimensions }, (_, axis) => size(axis + 1));
  const voxels = sizes.reduce((product, length) => product * length, 1);
  if (!sizes.every((length) => length >= 1) || !Number.isSafeInteger(voxels)) {
    throw new UserError(`${file}: the header states the impossible shape ${sizes.join(' x ')}. Export it again.`);
  }
  return sizes;
}

function readAffine(
  field: (name: FieldName, index?: number) => number,
  sizes: readonly number[],
  file: string,
): Affine {
  const isForm = (code: number) => code >= 1 && code <= 5;
  const triple = (name: FieldName, from = 0): Triple => [
    field(name, from),
    field(name, from + 1),
    field(name, from + 2),
  ];
  const stored = triple('pixdim', 1);
  const positive = (size: number) => (size === 0 ? 1 : Math.abs(size));
  const voxelSizes: Triple = [positive(stored[0]), positive(stored[1]), positive(stored[2])];
  const forms: Affine[] = [];
  if (isForm(field('sform_code'))) {
    const row = (axis: number) => [...triple('srow', 4 * axis), field('srow', 4 * axis + 3)] as const;
    forms.push([row(0), row(1), row(2), [0, 0, 0, 1]]);
  }
  if (isForm(field('qform_code'))) {
    const zSign = field('pixdim') === -1 ? -1 : 1;
    forms.push(affineFromQuaternion(triple('quatern'), voxelSizes, zSign, triple('qoffset')));
  }
  if (forms.length === 0) forms.push(affineFromVoxelSizes([sizes[0], sizes[1] ?? 1, sizes[2] ?? 1], voxelSizes));
  const millimetres = MILLIMETRES_BY_UNIT[field('xyzt_units') & 7] ?? 1;
  const scaled = forms.map(
    (affine): Affine =>
      affine.map(([x, y, z, t], axis) => {
        const unit = axis < 3 ? millimetres : 1;
        return [x * unit, y * unit, z * unit, t * unit] as const;
      }),
  );
  const affine = scaled.find(isPlaced) ?? scaled[0];
  requirePlaced(file, affine);
  return affine;
}

/** NIfTI's codes for units of length: metre, millimetre, micrometre. */
const MILLIMETRES_BY_UNIT: Readonly<Record<number, number>> = { 1: 1000, 2: 1, 3: 0.001 };

/** A fresh NIfTI-1 header (352 bytes with the flag that no extension follows) that states `affine` as its sform. */
export function createHeaderBytes(affine: Affine): Uint8Array {
  const { size, fields, magicAt } = HEADER_LAYOUTS[1];
  const bytes = new Uint8Array(size + EXTENSION_FLAG_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, size, true);
  bytes.set(
    [...'n+1'].map((letter) => letter.charCodeAt(0)),
    magicAt,
  );
  const write = (field: FieldName, values: readonly number[]) => {
    values.forEach((value, index) => {
      writeField({ view, littleEndian: true }, fields[field], index, value);
    });
  };
  write('pixdim', [1, ...spacingOf(affine), 1, 1, 1, 1]);
  write('xyzt_units', [2]);
  write('sform_code', [1]);
  write('srow', affine.slice(0, 3).flat());
  return bytes;
}

/**
 * A copy of a file's leading bytes (header and extensions) that describes other values on the same grid:
 * sizes along x, y, z and whatever is behind them, voxel type and scaling are replaced, the affine, form codes, units and extensions kept.
 */
export function describeValues(
  prefix: Uint8Array,
  file: string,
  sizes: readonly number[],
  type: VoxelType,
): Uint8Array {
  const bytes = Uint8Array.from(prefix);
  const view = new DataView(bytes.buffer);
  const { version, littleEndian } = identify(view, file);
  const { fields } = HEADER_LAYOUTS[version];
  const write = (field: FieldName, index: number, value: number) =>
    writeField({ view, littleEndian }, fields[field], index, value);
  [sizes.length, ...sizes, 1, 1, 1, 1, 1, 1, 1].slice(0, 8).forEach((size, index) => {
    write('dim', index, size);
  });
  write('datatype', 0, type.code);
  write('bitpix', 0, 8 * type.bytes);
  write('vox_offset', 0, bytes.byteLength);
  for (const field of ['scl_slope', 'scl_inter', 'cal_max', 'cal_min', 'intent_code'] as const) write(field, 0, 0);
  return bytes;
}

/** A volume of values on a grid that no NIfTI file states. */
export function volumeOn(file: string, grid: Grid, data: Voxels): Volume {
  const prefix = describeValues(createHeaderBytes(grid.affine), file, statedSizes(grid), voxelTypeOf(data));
  return { ...grid, file, data, prefix };
}
