import type { Affine, Triple } from './affine.ts';
import type { Voxels } from './nifti-types.ts';

/** Where the voxels of a volume lie. */
export interface Grid {
  /** Voxels along x, y, z and further dimensions (channels or time), x fastest in memory. */
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
   * NIfTI's scaled values are float32; others keep the type they are stored as.
   */
  readonly data: Voxels;
  /** The bytes before the voxels of a NIfTI file on this grid, extensions included: what `writeNifti` keeps of it. */
  readonly prefix: Uint8Array;
}
