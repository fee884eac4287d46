import { resolve } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import type { ControllerName } from '../controller/controller.ts';
import type { ComputeDevice, Precision } from '../engine/device.ts';
import type { RunRecord } from '../run/records.ts';
import type { SpaceName } from '../space/spaces.ts';

/** What a search is told. */
export interface SearchSettings {
  /** Folder in the layout of the Medical Segmentation Decathlon or of nnU-Net v2. */
  readonly dataSet: string;
  /** Folder of label maps; then `dataSet` is a folder of images alone. */
  readonly labelFolder?: string;
  /** Run folder to make. */
  readonly out: string;
  /** Seconds from the start to the report. With `epochs` too, what comes first ends the search. */
  readonly timeSeconds?: number;
  /** Controller steps. */
  readonly epochs?: number;
  /** Children judged at each controller step. */
  readonly children: number;
  /** The same at the last one, where more are wanted to choose from or to compare. */
  readonly lastChildren?: number;
  /** Bytes of the process, or of a GPU's memory, that the search may take; 80 % of what is free where it is left out. */
  readonly memoryBytes?: number;
  readonly controller: ControllerName;
  readonly space: SpaceName;
  /** Trains this child alone, whatever the space has beside it: what it is worth without shared weights. */
  readonly onlyChild?: Architecture;
  /** Rotations, scalings and intensity changes of the training patches, besides the paper's flip. */
  readonly augment: boolean;
  readonly folds: number;
  /** The part, from 0, that is the test set. */
  readonly fold: number;
  readonly device: 'auto' | ComputeDevice;
  readonly precision: 'auto' | Precision;
  readonly seed: number;
}

/** The same from outside: everything but the data set and the run folder has a default. */
export type SearchOptions = Pick<SearchSettings, 'dataSet' | 'out'> & Partial<SearchSettings>;

export const searchDefaults = {
  children: 20,
  controller: 'reinforce',
  space: 'macro',
  augment: false,
  folds: 5,
  fold: 0,
  device: 'auto',
  precision: 'auto',
  seed: 1,
} as const satisfies Partial<SearchSettings>;

/** Where there is no other limit; the paper trains for 150 to 500 controller epochs. */
export const defaultEpochs = 150;

/** Options with what was left out. */
export function withDefaults(options: SearchOptions): SearchSettings {
  const isUnlimited = options.timeSeconds === undefined && options.epochs === undefined;
  return { ...searchDefaults, ...(isUnlimited && { epochs: defaultEpochs }), ...options };
}

type CalledAlike = Pick<SearchSettings, 'children' | 'controller' | 'space' | 'augment' | 'folds' | 'fold' | 'seed'>;

/** The settings that `run.json` calls as the library does. */
function calledAlike({ children, controller, space, augment, folds, fold, seed }: CalledAlike): CalledAlike {
  return { children, controller, space, augment, folds, fold, seed };
}

/** Settings as `run.json` keeps them. */
export function recordSettings(settings: SearchSettings): RunRecord['settings'] {
  const { dataSet, labelFolder, timeSeconds, epochs, memoryBytes, lastChildren, onlyChild, device, precision } =
    settings;
  return {
    data_set: resolve(dataSet),
    ...(labelFolder !== undefined && { label_folder: resolve(labelFolder) }),
    time_seconds: timeSeconds ?? null,
    epochs: epochs ?? null,
    ...(memoryBytes !== undefined && { memory_bytes: memoryBytes }),
    ...calledAlike(settings),
    ...(lastChildren !== undefined && { last_children: lastChildren }),
    ...(onlyChild && { only_child: onlyChild }),
    device,
    precision,
  };
}

/** The settings of the run in `folder`, with the device and precision that were in use: the rest is computed as its beginning was. */
export function recordedSettings({ settings, engine }: RunRecord, folder: string): SearchSettings {
  const { data_set, label_folder, time_seconds, epochs, memory_bytes, last_children, only_child } = settings;
  const { device, precision } = engine;
  return {
    dataSet: data_set,
    ...(label_folder !== undefined && { labelFolder: label_folder }),
    out: folder,
    ...(time_seconds !== null && { timeSeconds: time_seconds }),
    ...(epochs !== null && { epochs }),
    ...(memory_bytes !== undefined && { memoryBytes: memory_bytes }),
    ...calledAlike(settings),
    ...(last_children !== undefined && { lastChildren: last_children }),
    ...(only_child && { onlyChild: only_child }),
    device,
    precision,
  };
}
