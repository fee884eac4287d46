import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import type { Case } from '../data/case.ts';
import type { DataSet } from '../data/dataset.ts';
import { splitCases } from '../data/folds.ts';
import type { ComputeDevice, Precision } from '../engine/device.ts';
import type { System, SystemOptions } from '../systems/system.ts';
import { inTurns } from './series.ts';

/** What is compared on which data set, with how much time. */
export interface CompareOptions {
  /** Folder in the layout of the Medical Segmentation Decathlon or of nnU-Net v2. */
  readonly dataSet: string;
  /** Folder of label maps; then `dataSet` is a folder of images alone. */
  readonly labelFolder?: string;
  /** Folder of the comparison; what it holds of the same comparison is taken as it is. */
  readonly out: string;
  /** How often each system is trained on each fold, with the seeds 1, 2, ... */
  readonly seeds: number;
  /** Seconds of each training. */
  readonly timeSeconds?: number;
  /** Epochs of each training, in the system's own terms. */
  readonly epochs?: number;
  /** Bytes that each run may take; 80 % of what is free at its beginning where it is left out. */
  readonly memoryBytes?: number;
  readonly folds: number;
  /** The fold that is the test set; where it is left out, each is, one after the other. */
  readonly fold?: number;
  readonly device: 'auto' | ComputeDevice;
  readonly precision: 'auto' | Precision;
  /** Run folder of another task, for systems that take something over from one. */
  readonly from?: string;
  /** Python with nnU-Net in it, for systems that are run by one. */
  readonly python?: string;
}

/** A run of a comparison, in the run folder of this name. */
export interface PlannedSystemRun {
  readonly name: string;
  readonly system: System;
  readonly fold: number;
  readonly seed: number;
  /** The cases that the system never sees while it is trained. */
  readonly test: readonly Case[];
}

/** The run folder of a system's training. */
export const runName = (system: string, fold: number, seed: number): string => `${system}-fold${fold}-seed${seed}`;

/** The folds that are compared. */
export const foldsOf = ({ folds, fold }: Pick<CompareOptions, 'folds' | 'fold'>): readonly number[] =>
  fold === undefined ? Array.from({ length: folds }, (_, i) => i) : [fold];

/**
 * All runs, seed by seed and fold by fold. Each round begins with another system, so that the machine's mood favours none.
 * @throws UserError where there is no such fold, or no system, or one twice
 */
export function plannedRuns(
  options: Pick<CompareOptions, 'folds' | 'fold' | 'seeds'>,
  systems: readonly System[],
  { cases }: Pick<DataSet, 'cases'>,
): readonly PlannedSystemRun[] {
  requireDifferent(systems.map(({ name }) => name));
  const names = cases.map(({ name }) => name);
  const tests = foldsOf(options).map((fold) => {
    const { test } = splitCases(names, { folds: options.folds, fold });
    return { fold, test: cases.filter(({ name }) => test.includes(name)) };
  });
  const rounds = Array.from({ length: options.seeds }, (_, i) => i + 1).flatMap((seed) =>
    tests.map((one) => ({ seed, ...one })),
  );
  return inTurns(systems, rounds.length).flatMap((turn, i) =>
    turn.map((system) => ({ name: runName(system.name, rounds[i].fold, rounds[i].seed), system, ...rounds[i] })),
  );
}

function requireDifferent(names: readonly string[]): void {
  if (names.length === 0) throw new UserError('--systems names none: give at least one.');
  const repeated = names.find((name, i) => names.indexOf(name) < i);
  if (repeated !== undefined) throw new UserError(`--systems names ${repeated} twice: name each system once.`);
}

/** What a planned run's system is told. */
export function systemOptions(
  { seeds: _, fold: __, out, ...shared }: CompareOptions,
  { name, fold, seed }: PlannedSystemRun,
): SystemOptions {
  return { ...shared, fold, seed, out: join(out, name) };
}
