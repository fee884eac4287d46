import type { Triple } from '../base/geometry.ts';
import type { Voxels } from '../base/voxels.ts';
import type { Affine } from './affine.ts';

/** Where the voxels of a volume lie. */
export interface Grid {
  /** Voxels along x, y, z and, where there are several, channels: {@link shapeOf}; x fastest in memory. */
  readonly shape: readonly number[];
  /** Millimetres between voxels along x, y, z. */
  readonly spacing: Triple;
  readonly affine: Affine;
}

/** A scan or a label map in memory. */
export interface Volume extends Grid {
  /** The file, or the folder of a DICOM series. */
  readonly file: string;
  /**
   * The true values. NIfTI's order, x fastest, is the C order of `[channel, depth, height, width]` with x = width.
   * NIfTI's scaled values are float32, or float64 where that could not hold whole ones; others keep the type they are stored as.
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

/** The shape that a header states, without axes of one voxel behind z, which say nothing: ITK and ANTs write vectors as x, y, z, 1, C. */
export const shapeOf = (stated: readonly number[]): readonly number[] => [
  ...stated.slice(0, 3),
  ...stated.slice(3).filter((size) => size > 1),
];

/** Why a volume is no scan that can be learnt from or segmented, in words that follow its name, with the mend; undefined for a scan. */
export function faultOf({ shape }: Pick<Volume, 'shape'>): string | undefined {
  if (shape.length < 3 || Math.min(...shape.slice(0, 3)) === 1) {
    return `this is a 2D image (${shape.join(' x ')} voxels). Give 3D scans: stack the slices into one volume.`;
  }
  if (shape.length > 4) return `it has ${shape.length} dimensions. Keep x, y, z and channels.`;
  return undefined;
}
