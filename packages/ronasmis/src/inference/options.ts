import type { ComputeDevice, Precision } from '../engine/device.ts';

/** How label maps are written: on the scans' own grids as NIfTI, or, of DICOM series, as DICOM Segmentations that refer to these. */
export const predictionFormats = ['nifti', 'dicom-seg'] as const;
export type PredictionFormat = (typeof predictionFormats)[number];

/** What is segmented, by which search, and where to. */
export interface PredictOptions {
  /** Run folder of a finished search. */
  readonly run: string;
  /** Scans (NIfTI, NRRD or MetaImage files, or folders that hold a DICOM series), and folders of them. */
  readonly inputs: readonly string[];
  /** Folder for the label maps, named as the scans. */
  readonly out: string;
  /** NIfTI where it is left out. */
  readonly format?: PredictionFormat;
  /** Whether class probabilities are written beside each label map, as NIfTI. */
  readonly probabilities?: boolean;
  /**
   * Bytes of the process, or of a GPU's memory, that may be taken; 80 % of what is free where it is left out. A scan that does not fit in one
   * pass is segmented in overlapping tiles.
   */
  readonly memoryBytes?: number;
  readonly device?: 'auto' | ComputeDevice;
  readonly precision?: 'auto' | Precision;
  /** Whether label maps replace files that this run has not made, or that were changed since; not where it is left out. */
  readonly overwrite?: boolean;
}
