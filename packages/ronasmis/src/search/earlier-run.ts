import { join, resolve } from 'node:path';
import { copyInto } from '@ronasmis/libtorch';
import { z } from 'zod';
import { some, UserError } from '../base/errors.ts';
import type { DataSet } from '../data/dataset.ts';
import { loadModel } from '../inference/model.ts';
import type { Network } from '../network/network.ts';
import { type TakenOver, type Trained, takeOver } from '../network/take-over.ts';
import { plural } from '../report/format.ts';
import { runKey } from '../run/run-key.ts';
import type { RunRecord } from '../run/run-record.ts';
import type { Trainer } from '../training/trainer.ts';
import { withoutCoarse } from './joining.ts';

/** A finished run whose weights another one starts from. */
export interface EarlierRun extends Trained {
  /** Its absolute path. */
  readonly folder: string;
  readonly key: string;
}

/**
 * Reads the run that the one in `out` is to start from.
 * @throws UserError where it has not finished, its weights are damaged or no numbers, or it is the run that is to be started
 */
export async function readEarlierRun(from: string, out: string): Promise<EarlierRun> {
  const folder = resolve(from);
  if (folder === resolve(out))
    throw new UserError(`--from ${from} is the run folder that is to be made: give another folder with --out.`);
  const { run, weights: loaded } = await loadModel(folder, 'cpu');
  const weights = withoutCoarse(loaded);
  const noNumber = [...weights].find(
    ([, weight]) => !weight.toArray().every((value) => Number.isFinite(Number(value))),
  );
  if (noNumber)
    throw new UserError(
      `${join(folder, 'model.safetensors')} has the weight '${noNumber[0]}' with values that are not numbers (NaN or infinite): its training went astray. Start from another run.`,
    );
  const classes = run.labels.map(({ name }) => name);
  return { folder, key: runKey(run), weights, classes, channels: channelNames(run) };
}

/**
 * The same for a run that was stopped before its first step was finished, so that it begins again: later its checkpoint has all that it needs.
 * @throws UserError where that run is not what it was
 */
export async function readEarlierRunAgain(
  { run, key }: NonNullable<RunRecord['settings']['from']>,
  out: string,
): Promise<EarlierRun> {
  const why = `${out} was stopped in its first step, and has to start from ${run} again, which`;
  const mend = 'put it back, or search again into a new folder.';
  const found = await readEarlierRun(run, out).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${why} can't be used (${error.message.replace(/\.$/, '')}): ${mend}`);
  });
  if (found.key !== key) throw new UserError(`${why} is another run now: ${mend}`);
  return found;
}

const namesSchema = z.object({ channels: z.array(z.string()) });

/** What the channels of a run's scans show; empty names, one for each, where an early version does not say it. */
function channelNames({ fingerprint, network }: RunRecord): readonly string[] {
  const { data } = namesSchema.safeParse(fingerprint);
  if (data?.channels.length === network.input_channels) return data.channels;
  return Array.from({ length: network.input_channels }, () => '');
}

/** What a run began with of an earlier one. */
export interface Started extends TakenOver {
  readonly earlier: Pick<EarlierRun, 'folder' | 'key'>;
}

/**
 * Puts the weights of an earlier run in place of those that were drawn, for the networks of this run; the average starts as a copy of the same.
 * @throws UserError where no kernel of the two is alike
 */
export function startFrom(
  trainer: Trainer,
  networks: readonly Network[],
  { channels, labels }: Pick<DataSet, 'channels' | 'labels'>,
  earlier: EarlierRun,
): Started {
  const here = { channels, classes: labels.map(({ name }) => name) };
  const outcome = takeOver(trainer.weights, networks, here, earlier);
  for (const weight of earlier.weights.values()) weight.free();
  const isKernel = (name: string): boolean => trainer.weights.get(name)?.shape.length === 5;
  if (![...outcome.taken, ...outcome.adapted].some(isKernel)) {
    throw new UserError(
      `--from ${earlier.folder}: its network has no kernel in common with those of this run, which are of another space or width. ` +
        'Start from a run of the same space, with as much --memory, or without --from.',
    );
  }
  copyInto(trainer.averaged, trainer.weights);
  const { folder, key } = earlier;
  return { ...outcome, earlier: { folder, key } };
}

/** What `run.json` says of it. */
export function recordStart({ earlier, taken, adapted, drawnAnew }: Started) {
  return {
    from: { run: earlier.folder, key: earlier.key },
    taken_over: { taken: taken.length, adapted: adapted.length, drawn_anew: drawnAnew.length },
  };
}

/** What is to be said of it, in a sentence: what the earlier run had learnt in vain. */
export function startWarnings({ earlier, taken, adapted, left }: Started): readonly string[] {
  if (left.length === 0) return [];
  const all = plural(taken.length + adapted.length + left.length, 'weight');
  const what = `${left.length} of the ${all} of ${earlier.folder}`;
  return [`${what} are not taken over, for they have another shape or no place here: ${some(left)}.`];
}
