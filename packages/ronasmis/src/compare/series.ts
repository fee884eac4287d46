import { mapConcurrently } from '../base/concurrency.ts';
import type { ComputeDevice } from '../engine/device.ts';
import type { SearchHooks } from '../search/search.ts';
import { openEnergyMeter } from './energy.ts';

/** A run, its place among all `total`, from 1. */
export interface RunPlace {
  readonly run: string;
  readonly number: number;
  readonly total: number;
}

/** Runs that follow each other. */
export interface Series<Planned extends { readonly name: string }> {
  readonly planned: readonly Planned[];
  /** Those that have not finished. */
  readonly isOpen: (planned: Planned) => boolean;
  /** About what each takes; NaN where that is not known. */
  readonly eachSeconds: number;
  /** Runs that came before these. */
  readonly earlier: number;
  /** What is to follow: how many runs, and about how long they take together. */
  readonly later: { readonly runs: number; readonly seconds: number };
  /** How many go on side by side; one after the other where it is left out. */
  readonly atOnce?: number;
  /** Told before each run. */
  readonly onRun?: ((place: RunPlace) => void) | undefined;
  readonly run: (planned: Planned, hooks: SearchHooks) => Promise<void>;
}

/**
 * Runs one after the other, or a few at a time, but those that have finished. The time left that is told is that of all, and how far things are
 * is told of the first of those that go on at once.
 */
export async function runSeries<Planned extends { readonly name: string }>(
  { planned, isOpen, eachSeconds, earlier, later, atOnce = 1, onRun, run }: Series<Planned>,
  hooks: SearchHooks,
): Promise<void> {
  const going = new Set<number>();
  let isFirst = earlier === 0;
  const runNext = async ([index, next]: readonly [number, Planned]): Promise<void> => {
    hooks.signal?.throwIfAborted();
    onRun?.({ run: next.name, number: earlier + index + 1, total: earlier + planned.length + later.runs });
    const left = planned.slice(index + 1).filter((one, at) => !going.has(index + 1 + at) && isOpen(one)).length;
    const ofAll = withTimeOfAll(hooks, (left * eachSeconds + later.seconds) / atOnce, isFirst);
    isFirst = false;
    going.add(index);
    const isTold = (): boolean => index === Math.min(...going);
    await run(next, {
      ...ofAll,
      onProgress: (progress) => void (isTold() && ofAll.onProgress?.(progress)),
    }).finally(() => going.delete(index));
  };
  await mapConcurrently(
    [...planned.entries()].filter(([, next]) => isOpen(next)),
    runNext,
    atOnce,
  );
}

/** Adds the seconds of the runs that follow to a run's time left; tells none where they are not known. `onStart` is told of the first alone. */
function withTimeOfAll(
  { onProgress, onStart, onWarning, signal }: SearchHooks,
  secondsAfter: number,
  isFirst: boolean,
): SearchHooks {
  return {
    ...(signal && { signal }),
    ...(onWarning && { onWarning }),
    ...(onStart && isFirst && { onStart }),
    onProgress: ({ secondsLeft, ...progress }) => {
      const ofAll = (secondsLeft ?? Number.NaN) + secondsAfter;
      onProgress?.({ ...progress, ...(Number.isFinite(ofAll) && { secondsLeft: ofAll }) });
    },
  };
}

/** Where the energy of runs is noted. */
export interface EnergyRecord {
  readonly engine: { readonly device: ComputeDevice };
  /** By run; null where it is not known. */
  readonly joules: Record<string, number | null>;
}

/**
 * Notes what energy the work of a run takes, added to what it took before it was stopped.
 * @param write keeps the record
 * @param isBegun whether the run was stopped or killed
 */
export async function withEnergy<T>(
  record: EnergyRecord,
  { name, isBegun, write }: { readonly name: string; readonly isBegun: boolean; readonly write: () => Promise<void> },
  work: () => Promise<T>,
): Promise<T> {
  const before = isBegun ? (record.joules[name] ?? null) : 0;
  const note = (joules: number | null): Promise<void> => {
    record.joules[name] = joules;
    return write();
  };
  // Unknown until it has ended, for a kill leaves no time to say it.
  await note(null);
  const meter = await openEnergyMeter(record.engine.device);
  try {
    return await work();
  } finally {
    const joules = await meter.close();
    await note(before === null || joules === null ? null : before + joules);
  }
}

/** Contestants round by round. Each round begins with another one, so that the machine's mood favours none. */
export function inTurns<Contestant>(
  contestants: readonly Contestant[],
  rounds: number,
): readonly (readonly Contestant[])[] {
  return Array.from({ length: rounds }, (_, round) =>
    contestants.map((_, place) => contestants[(place + round) % contestants.length]),
  );
}
