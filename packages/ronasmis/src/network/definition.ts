import type { Triple } from '../base/geometry.ts';
import type { Operations } from './operations.ts';

/** How a pass in training differs. */
export interface WalkOptions {
  /** Logits of all supervised levels, not of the finest alone. */
  readonly deepSupervision: boolean;
  /** Whether a skip is left out this time: the zero operation, which regularises (drop-path). Never at prediction. */
  readonly dropSkip?: (level: number, from: number) => boolean;
}

/** Logits that are compared with the label: by which strides it is downsampled to them, and their share of the loss. */
export interface Supervision {
  readonly stride: Triple;
  /** Which voxel of each cell of `stride` is compared, `[depth, height, width]`; the first where it is left out. */
  readonly offset?: Triple;
  readonly weight: number;
}

/** What a network is written as: its passage over the operations, and what is learnt from it. */
export interface NetworkDefinition {
  readonly inputChannels: number;
  /** The background included. */
  readonly classes: number;
  /** The finest first; they have a weight of 1 together. */
  readonly supervised: readonly Supervision[];
  /** @returns logits, the finest first; without deep supervision those alone */
  walk<Features>(operations: Operations<Features>, image: Features, options: WalkOptions): readonly Features[];
}
