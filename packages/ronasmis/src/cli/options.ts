import { InvalidArgumentError, Option } from 'commander';
import { UserError } from '../base/errors.ts';
import { searchDefaults } from '../search/defaults.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Seconds of a duration such as `90s`, `15m`, `1.5h` or `2d`.
 * @throws InvalidArgumentError that says how to write one
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text);
  const seconds = match === null ? 0 : Number(match[1]) * SECONDS[match[2]];
  if (seconds <= 0) throw new InvalidArgumentError('Write a number and its unit, such as 90s, 15m, 1.5h or 2d.');
  return seconds;
}

const BYTES: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/**
 * Bytes of a size such as `8GiB`, `1.5GiB` or `500MB`.
 * @throws InvalidArgumentError that says how to write one
 */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([KMG]i?B)$/.exec(text);
  const bytes = match === null ? 0 : Math.floor(Number(match[1]) * BYTES[match[2]]);
  if (bytes <= 0) throw new InvalidArgumentError('Write a number and its unit, such as 8GiB, 1.5GiB or 500MB.');
  return bytes;
}

/** A parser of whole numbers from `least` to `most`. */
export function integerBetween(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/**
 * A number above 0, such as a length in millimetres.
 * @throws InvalidArgumentError otherwise
 */
export function parsePositive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity) || text.trim() !== text)
    throw new InvalidArgumentError('Write a number above 0.');
  return value;
}

/**
 * Names with commas between them.
 * @throws InvalidArgumentError where one is missing
 */
export function parseNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('Write names with commas between them.');
  return names;
}

/** Every verb's `--json`. */
export const jsonOption = (): Option => new Option('--json', 'print one JSON document on standard output');

/** `--device`, of the verbs that compute. */
export const deviceOption = (): Option =>
  new Option('--device <device>', 'where to compute; auto: a GPU if there is one')
    .choices(['auto', 'cpu', 'cuda', 'mps'])
    .default(searchDefaults.device);

/** `--precision`, of the verbs that compute. */
export const precisionOption = (): Option =>
  new Option(
    '--precision <precision>',
    'numbers to compute with; auto: whichever was measured to be faster on this machine',
  )
    .choices(['auto', 'fp32', 'bf16', 'fp16'])
    .default(searchDefaults.precision);

/** The values of `--device` and `--precision`. */
export type EngineOptions = {
  readonly device: 'auto' | 'cpu' | 'cuda' | 'mps';
  readonly precision: 'auto' | 'fp32' | 'bf16' | 'fp16';
};

/** `--labels`, of the verbs that read a data set. */
export const labelsOption = (): Option =>
  new Option(
    '--labels <folder>',
    'folder of label maps with the same names as the images; <dataset> is then just a folder of images',
  );

/** `--memory`, of the verbs that compute. */
export const memoryOption = (): Option =>
  new Option(
    '--memory <size>',
    'memory budget of the process or the GPU, such as 8GiB (default: 80 % of what is free)',
  ).argParser(parseBytes);

/** `--overwrite`, of the verbs that write files. */
export const overwriteOption = (): Option =>
  new Option('--overwrite', 'replace existing files, whoever made them; inputs are never replaced');

/** `--folds`, of the verbs that split a data set. */
export const foldsOption = (): Option =>
  new Option('--folds <n>', 'number of folds').argParser(integerBetween(2, 100)).default(searchDefaults.folds);

/** `--fold`, of the verbs that split a data set. */
export const foldOption = (): Option =>
  new Option('--fold <k>', 'fold that is the test set, counted from 0')
    .argParser(integerBetween(0, 99))
    .default(searchDefaults.fold);

/** The values of `--folds` and `--fold`. */
export type FoldOptions = { readonly folds: number; readonly fold: number };

/** @throws UserError where there is no such fold */
export function requireFold({ folds, fold }: Partial<FoldOptions> & Pick<FoldOptions, 'folds'>): void {
  if (fold !== undefined && fold >= folds)
    throw new UserError(`--fold ${fold} is none of the ${folds} folds: take 0 to ${folds - 1}.`);
}

/** The port of a page's server. */
export function portOption(): Option {
  const what = 'port of this machine to serve the page on (default: one that is free)';
  return new Option('--port <n>', what).argParser(integerBetween(1, 65_535));
}
