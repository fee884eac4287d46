import { UserError } from '../base/errors.ts';
import { reversed, type Triple } from '../base/geometry.ts';
import type { Voxels } from '../base/voxels.ts';
import { type Affine, spacingOf } from './affine.ts';

/**
 * Where the voxels of a volume lie. What is in memory has its axes in the order `[channel, depth, height, width]`, the width fastest; headers,
 * affines and orientations have x, y, z, where x is the width.
 */
export interface Grid {
  /** Voxels of a channel, `[depth, height, width]`. */
  readonly shape: Triple;
  readonly channels: number;
  /** Millimetres between voxels along `[depth, height, width]`. */
  readonly spacing: Triple;
  readonly affine: Affine;
}

/** A scan or a label map in memory. */
export interface Volume extends Grid {
  /** The file, or the folder of a DICOM series. */
  readonly file: string;
  /**
   * The true values, `[channel, depth, height, width]`. NIfTI's scaled values are float32, or float64 where that could not hold whole ones; others keep the type they are stored as.
   */
  readonly data: Voxels;
  /** Of integers that the file scales, the difference between neighbouring values: what lay between them was rounded when they were written. */
  readonly step?: number;
  /** The bytes before the voxels of a NIfTI file on this grid, extensions included: what `writeNifti` keeps of it. */
  readonly prefix: Uint8Array;
}

/** How the files of a data format are read: what each format declares of itself. All name `file` in what they throw, which is a UserError. */
export type FileFormat = {
  /** What the names of its files end in, in small letters. */
  readonly endings: readonly string[];
  /** Reads where the voxels lie, and no voxel. */
  readonly readGrid: (file: string) => Promise<Grid>;
} & (
  | {
      /** A file holds all of a volume: by its bytes, and by when it was changed, a volume is known again. */
      readonly kind: 'one_file';
      readonly decode: (file: string, bytes: Uint8Array) => Promise<Volume>;
    }
  | {
      /** A file may be a header that names others. */
      readonly kind: 'several_files';
      readonly readVolume: (file: string) => Promise<Volume>;
    }
);

/** A grid whose spacing its affine says. */
export const gridAt = (shape: Triple, channels: number, affine: Affine): Grid => ({
  shape,
  channels,
  spacing: reversed(spacingOf(affine)),
  affine,
});

/**
 * The grid of a file by the sizes that its header states: x, y, z and channels. Axes of one voxel behind z say nothing: ITK and ANTs write vectors as
 * x, y, z, 1, C.
 * @throws UserError where there are several axes behind z
 */
export function statedGrid(file: string, stated: readonly number[], affine: Affine): Grid {
  const [x, y = 1, z = 1, ...others] = stated;
  const [channels = 1, ...more] = others.filter((size) => size > 1);
  if (more.length > 0) throw new UserError(`${file}: it has ${4 + more.length} dimensions. Keep x, y, z and channels.`);
  return gridAt([z, y, x], channels, affine);
}

/** The sizes of a volume as headers state them: x, y, z and, where there are several, channels. */
export const statedSizes = ({ shape, channels }: Pick<Grid, 'shape' | 'channels'>): readonly number[] => [
  ...reversed(shape),
  ...(channels > 1 ? [channels] : []),
];

/** Why a volume is no scan that can be learnt from or segmented, in words that follow its name, with the fix; undefined for a scan. */
export function faultOf({ shape }: Pick<Grid, 'shape'>): string | undefined {
  if (Math.min(...shape) > 1) return undefined;
  const sizes = reversed(shape).filter((size) => size > 1);
  return `this is a 2D image (${sizes.join(' x ')} voxels). Give 3D scans: stack the slices into one volume.`;
}
