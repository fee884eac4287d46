import { UserError } from '../base/errors.ts';
import type { Voxels } from '../base/voxels.ts';

/** One of NIfTI's real voxel types. */
export interface VoxelType {
  /** NIfTI's number for it. */
  readonly code: number;
  readonly name: string;
  /** Bytes a voxel. */
  readonly bytes: 1 | 2 | 4 | 8;
  /** Of integers, the largest without its sign. */
  readonly largest?: number;
  /** The voxels that lie, in this machine's byte order, in `count * bytes` bytes from `offset` (a multiple of `bytes`). */
  readonly view: (buffer: ArrayBufferLike, offset: number, count: number) => Voxels;
}

const VOXEL_TYPES: readonly VoxelType[] = [
  {
    code: 2,
    name: 'uint8',
    bytes: 1,
    largest: 255,
    view: (buffer, offset, count) => new Uint8Array(buffer, offset, count),
  },
  {
    code: 256,
    name: 'int8',
    bytes: 1,
    largest: 128,
    view: (buffer, offset, count) => new Int8Array(buffer, offset, count),
  },
  {
    code: 512,
    name: 'uint16',
    bytes: 2,
    largest: 65_535,
    view: (buffer, offset, count) => new Uint16Array(buffer, offset, count),
  },
  {
    code: 4,
    name: 'int16',
    bytes: 2,
    largest: 32_768,
    view: (buffer, offset, count) => new Int16Array(buffer, offset, count),
  },
  {
    code: 768,
    name: 'uint32',
    bytes: 4,
    largest: 2 ** 32,
    view: (buffer, offset, count) => new Uint32Array(buffer, offset, count),
  },
  {
    code: 8,
    name: 'int32',
    bytes: 4,
    largest: 2 ** 31,
    view: (buffer, offset, count) => new Int32Array(buffer, offset, count),
  },
  { code: 16, name: 'float32', bytes: 4, view: (buffer, offset, count) => new Float32Array(buffer, offset, count) },
  { code: 64, name: 'float64', bytes: 8, view: (buffer, offset, count) => new Float64Array(buffer, offset, count) },
  {
    code: 1024,
    name: 'int64',
    bytes: 8,
    largest: 2 ** 63,
    view: (buffer, offset, count) => Float64Array.from(new BigInt64Array(buffer, offset, count), Number),
  },
  {
    code: 1280,
    name: 'uint64',
    bytes: 8,
    largest: 2 ** 64,
    view: (buffer, offset, count) => Float64Array.from(new BigUint64Array(buffer, offset, count), Number),
  },
];

const NOT_REAL: Readonly<Record<number, string>> = {
  1: 'single bits',
  32: 'complex numbers',
  128: 'RGB colours',
  1536: '128-bit floating point numbers',
  1792: 'complex numbers',
  2048: 'complex numbers',
  2304: 'RGBA colours',
};

/** @throws UserError for complex, colour and unknown types. */
export function voxelTypeByCode(code: number, file: string): VoxelType {
  const type = VOXEL_TYPES.find((candidate) => candidate.code === code);
  if (type) return type;
  const what = NOT_REAL[code] ?? `of the unknown type ${code}`;
  throw new UserError(`${file}: its voxels are ${what}. Convert it to integers or to 32-bit floating point.`);
}

/** The voxel type that `voxels` are written as. */
export function voxelTypeOf(voxels: Voxels): VoxelType {
  const name = voxels.constructor.name.replace('Array', '').toLowerCase();
  const type = VOXEL_TYPES.find((candidate) => candidate.name === name);
  if (!type) throw new Error(`No NIfTI voxel type for ${voxels.constructor.name}.`);
  return type;
}
