import type { SearchSettings } from '../search/options.ts';
import type { SearchHooks } from '../search/search.ts';

/**
 * What a system is told: the data set, the split and the budget, the same for every system of a comparison. The time is that of the training,
 * preparation and planning included; test cases are segmented after it. Epochs are in the system's own terms: controller epochs of RONASMIS,
 * epochs of 250 steps of nnU-Net. The run folder may hold a run of this system that was stopped. `from` is for those that take something over
 * from a run of another task.
 */
export interface SystemOptions
  extends Pick<
    SearchSettings,
    | 'dataSet'
    | 'labelFolder'
    | 'out'
    | 'timeSeconds'
    | 'epochs'
    | 'memoryBytes'
    | 'folds'
    | 'fold'
    | 'device'
    | 'precision'
    | 'seed'
    | 'from'
  > {
  /** Python with nnU-Net in it, of the systems that are run by one. */
  readonly python?: string;
}

/** How a system trains and predicts, as the paper's Table 2 has it. */
export interface Traits {
  /** Of training patches, in words; null: none. */
  readonly augmentation: string | null;
  readonly ensemble: boolean;
  readonly testTimeAugmentation: boolean;
  readonly postProcessing: boolean;
  readonly inference: 'one shot' | 'overlapped patches' | 'weighted overlapped patches';
}

/** What can be compared: trains a network within a budget on a split of a data set, and leaves it in a run folder as any run does. */
export interface System {
  /** As it is called on the command line and in `run.json`. */
  readonly name: string;
  /** As a table calls it. */
  readonly title: string;
  readonly traits: Traits;
  /**
   * Trains, or goes on where it was stopped; a finished run is not repeated.
   * @throws UserError for what is wrong with the data set, the options or the run folder
   */
  train(options: SystemOptions, hooks: SearchHooks): Promise<void>;
  /**
   * Segments scans with what a finished run folder holds, and writes `NAME.nii.gz` into `out` for each; `predict` does where it is left out.
   * @param scans a file for each, or the folder or first file of one with several
   * @returns the seconds that it took, where it was done before and kept; undefined where it was done now
   */
  readonly segment?: (
    run: string,
    scans: readonly string[],
    out: string,
    options: Pick<SystemOptions, 'memoryBytes' | 'device' | 'precision' | 'python'>,
  ) => Promise<number | undefined>;
}
