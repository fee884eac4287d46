import { type Tensor, tensor, to } from '@ronasmis/libtorch';
import type { NetworkDimensions } from '../architecture/dimensions.ts';
import type { Labelling } from '../data/description.ts';
import type { CaseSplit } from '../data/folds.ts';
import type { ComputeDevice, Precision } from '../engine/device.ts';
import type { PreparedCase } from '../preparation/prepare.ts';
import type { Thinning } from '../preparation/thinning.ts';
import type { SearchSpace } from '../space/space.ts';

/** What a search works with and never changes. */
export interface SearchContext {
  readonly device: ComputeDevice;
  readonly precision: Precision;
  readonly dimensions: NetworkDimensions;
  readonly space: SearchSpace;
  readonly cases: readonly PreparedCase[];
  readonly split: CaseSplit;
  /** The data set's label value of each class; index 0 is the background. */
  readonly labelValues: readonly number[];
  readonly scored: readonly ScoredClass[];
  /** Of voxels that are neither learnt from nor scored; undefined where there are none. */
  readonly ignoredValue: number | undefined;
  /** Whether patches are rotated, scaled and changed in their intensities; they are mirrored in any case. */
  readonly augment: boolean;
  /** Children proposed at each controller step. All are judged at the last one. */
  readonly children: number;
  /** How volumes are thinned while the search is coarse; undefined where it never is. */
  readonly thinning?: Thinning;
}

/** What a Dice is told of: a label, or a region of several. */
export interface ScoredClass {
  /** The label's value as text, or the region's name. */
  readonly name: string;
  /** Class indices that it is made of. */
  readonly classes: readonly number[];
}

/** What the Dice of a data set are told of: its regions, or its labels but for the background. */
export function scoredClasses({ labels, regions }: Labelling): readonly ScoredClass[] {
  if (regions.length === 0)
    return labels.slice(1).map(({ value }, index) => ({ name: String(value), classes: [index + 1] }));
  return regions.map(({ name, values }) => ({
    name,
    classes: labels.flatMap(({ value }, index) => (values.includes(value) ? [index] : [])),
  }));
}

/** Class indices of this shape on the device, as uint8; on a processor they share the memory of `values`. */
export function toLabel(values: Uint8Array, shape: readonly number[], device: ComputeDevice): Tensor {
  return to(tensor(values, shape, { share: true }), { dataType: 'uint8', device });
}
