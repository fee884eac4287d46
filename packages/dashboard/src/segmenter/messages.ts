/** A file as it was dropped or chosen: its path from there on. */
export interface GivenFile {
  readonly path: string;
  readonly file: File;
}

/** What the network is computed by. */
export type Engine = 'wasm' | 'webgpu';

/** What the page asks of the worker, one after the other. */
export type Request =
  | { readonly kind: 'describe' }
  | { readonly kind: 'open'; readonly files: readonly GivenFile[]; readonly memoryBytes: number }
  | { readonly kind: 'segment'; readonly engine: Engine }
  | { readonly kind: 'save'; readonly format: 'nifti' | 'dicom-seg' };

/** What the network is for. */
export interface Described {
  readonly kind: 'described';
  readonly channels: number;
  readonly labels: readonly LabelName[];
  readonly version: string;
}

export interface LabelName {
  readonly value: number;
  readonly name: string;
}

/** A scan that was read, and what segmenting it takes. */
export interface OpenedScan {
  readonly kind: 'opened';
  readonly name: string;
  /** x, y, z. */
  readonly size: readonly number[];
  readonly spacing: readonly number[];
  readonly channels: number;
  /** What segmenting it takes, in words. */
  readonly memory: string;
  readonly passes: number;
  /** Tiles, where it is segmented in smaller ones than it should for want of memory: x, y, z. */
  readonly cut: readonly number[] | null;
  readonly warnings: readonly string[];
  readonly isDicom: boolean;
  /** The scan as a NIfTI file that is not packed, to be shown. */
  readonly nifti: Uint8Array<ArrayBuffer>;
}

/** What a label takes of a scan. */
export interface LabelVolume extends LabelName {
  readonly voxels: number;
  readonly millilitres: number;
}

/** What the worker answers. */
export type Answer =
  | Described
  | OpenedScan
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | {
      readonly kind: 'segmented';
      readonly seconds: number;
      readonly volumes: readonly LabelVolume[];
      /** The label map as a NIfTI file that is not packed. */
      readonly nifti: Uint8Array<ArrayBuffer>;
    }
  | { readonly kind: 'saved'; readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'problem'; readonly sentence: string };
