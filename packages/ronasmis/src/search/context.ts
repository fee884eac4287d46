import type { NetworkDimensions } from '../architecture/dimensions.ts';
import type { Labelling } from '../data/description.ts';
import type { CaseSplit } from '../data/folds.ts';
import type { ComputeDevice, Precision } from '../engine/device.ts';
import type { Downsampling } from '../preparation/downsampling.ts';
import type { PreparedCase } from '../preparation/prepare.ts';
import type { Team } from '../ranks/team.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { SearchSpace } from '../space/space.ts';

/** What networks are trained and evaluated with, and what never changes in a run. */
export interface RunContext {
  /** The processes that share the run. */
  readonly team: Team;
  readonly device: ComputeDevice;
  readonly precision: Precision;
  readonly recipe: Recipe;
  readonly dimensions: NetworkDimensions;
  readonly cases: readonly PreparedCase[];
  readonly split: CaseSplit;
  /** The data set's label value of each class; index 0 is the background. */
  readonly labelValues: readonly number[];
  readonly scored: readonly ScoredClass[];
  /** Of voxels that are neither learnt from nor scored; undefined where there are none. */
  readonly ignoredValue: number | undefined;
  /** Whether it segments no test case itself, for whoever has started it does. */
  readonly isTestedElsewhere?: boolean;
  /** Voxels that a batch of small patches comes to, about: those of the largest patch. */
  readonly batchVoxels: number;
  /** How volumes are downsampled while the run is coarse; undefined where it never is. */
  readonly downsampling?: Downsampling;
}

/** The same of a search. */
export interface SearchContext extends RunContext {
  readonly space: SearchSpace;
  /** Children proposed at each controller step. All are evaluated at the last one. */
  readonly children: number;
}

/** What a Dice is told of: a label, or a region of several. */
export interface ScoredClass {
  /** The label's value as text, or the region's name. */
  readonly name: string;
  /** Class indices that it is made of. */
  readonly classes: readonly number[];
}

/** What the Dice of a data set are told of: its regions, or its labels except the background. */
export function scoredClasses({ labels, regions }: Labelling): readonly ScoredClass[] {
  if (regions.length === 0)
    return labels.slice(1).map(({ value }, index) => ({ name: String(value), classes: [index + 1] }));
  return regions.map(({ name, values }) => ({
    name,
    classes: labels.flatMap(({ value }, index) => (values.includes(value) ? [index] : [])),
  }));
}

/** The case of this name, as it was prepared. */
export function caseNamed({ cases }: Pick<RunContext, 'cases'>, name: string): PreparedCase {
  const found = cases.find((prepared) => prepared.name === name);
  if (!found) throw new Error(`No case is called '${name}'.`);
  return found;
}
