import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrently } from '../base/concurrency.ts';
import { UserError } from '../base/errors.ts';
import { isUnreadableName, readBytes, UNREADABLE_NAME, withCopies } from '../base/files.ts';
import type { Triple } from '../base/geometry.ts';
import type { Voxels } from '../base/voxels.ts';
import { affineFromLps, cross, dot } from './affine.ts';
import { withPreamble } from './dicom-elements.ts';
import { readElements, readSlice, type Slice } from './dicom-slice.ts';
import { type SourceSeries, sourceSeriesOf } from './dicom-source.ts';
import { readItkSlices } from './itk.ts';
import { volumeOn } from './nifti-header.ts';
import { listDicom } from './scan-files.ts';
import { type Grid, gridAt, type Volume } from './volume.ts';

/** How far a slice may lie from where even steps have it, as a part of a step: headers are rounded, and a missing slice makes half a step. */
const STEP_TOLERANCE = 0.1;
/** How much directions (unit vectors) may differ, and spacings and places as a share of the pixels', and be the same. */
const SAME = 1e-3;

/**
 * Reads a folder that holds a DICOM series with a file for each slice. Slices are sorted by their positions, values rescaled.
 * @throws UserError where it holds no series or several, slices are damaged or missing, or ITK is not installed
 */
export async function readSeries(folder: string): Promise<Volume> {
  const slices = await sortedSlices(folder);
  const parts: Voxels[] = [];
  for (const run of runsOfOneScale(slices)) {
    const part = await withPreambles(folder, run, (files) => readItkSlices(folder, files));
    if (part.length !== run.length * run[0].rows * run[0].columns) {
      throw new UserError(`${run[0].file}: its pixels are not as many as its header states. Export it again.`);
    }
    parts.push(part);
  }
  return volumeOn(folder, gridOf(slices), parts.length === 1 ? parts[0] : joined(parts));
}

/** What the slices' headers alone say. @throws UserError as `readSeries` does, but without a look at the voxels. */
export async function readSeriesGrid(folder: string): Promise<Grid> {
  return gridOf(await sortedSlices(folder));
}

/**
 * What a segmentation of a series takes over from it, with the slices in the order in which `readSeries` has them.
 * @throws UserError as `readSeriesGrid` does, and where the headers lack what a segmentation has to state
 */
export async function readSourceSeries(folder: string): Promise<SourceSeries> {
  const slices = await sortedSlices(folder);
  const headers = await mapConcurrently(slices, async ({ file }) => ({
    file,
    elements: (await readElements(file)).elements,
  }));
  return sourceSeriesOf(folder, headers);
}

/** Gives the files of slices to what needs their preambles: in place of those without, copies that have them. */
async function withPreambles<T>(
  series: string,
  slices: readonly Slice[],
  read: (files: readonly string[]) => Promise<T>,
): Promise<T> {
  if (slices.every(({ hasPreamble }) => hasPreamble)) return read(slices.map(({ file }) => file));
  const copies = (folder: string) =>
    mapConcurrently([...slices.entries()], async ([i, { file, hasPreamble }]) => {
      if (hasPreamble) return file;
      const copy = join(folder, String(i));
      await writeFile(copy, withPreamble(await readBytes(file)));
      return copy;
    });
  return withCopies(series, copies, read);
}

/** Neighbouring slices of the same slope and intercept: ITK scales all that it reads at once by those of one. PET has its own in each. */
function runsOfOneScale(slices: readonly Slice[]): readonly (readonly Slice[])[] {
  const runs: Slice[][] = [];
  for (const slice of slices) {
    const run = runs.at(-1);
    if (run?.[0].slope === slice.slope && run[0].intercept === slice.intercept) run.push(slice);
    else runs.push([slice]);
  }
  return runs;
}

function joined(parts: readonly Voxels[]): Float32Array {
  const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    values.set(part, offset);
    offset += part.length;
  }
  return values;
}

/** The slices of the one series in a folder, along the normal of their planes. */
async function sortedSlices(folder: string): Promise<readonly Slice[]> {
  const files = await listDicom(folder);
  const unreadable = files.find(isUnreadableName);
  if (unreadable !== undefined) throw new UserError(`${unreadable}: ${UNREADABLE_NAME}`);
  const found = await mapConcurrently(files, readSlice);
  const slices = found.filter((slice) => slice !== undefined);
  const series = new Set(slices.map((slice) => slice.series)).size;
  if (series > 1) throw new UserError(`${folder}: it holds ${series} DICOM series. Give each a folder of its own.`);
  if (slices.length < 2) {
    const what = slices.length === 0 ? 'no DICOM slice' : 'a single DICOM slice';
    throw new UserError(`${folder}: it holds ${what}. Give the folder of a whole series.`);
  }
  const [first] = slices;
  const odd = slices.find((slice) => !areParallel(slice, first));
  if (odd) {
    const what = `it differs from ${first.file} in size, pixel spacing or direction`;
    throw new UserError(`${odd.file}: ${what}. Keep the slices of one volume in the folder.`);
  }
  const normal = cross(first.rowDirection, first.columnDirection);
  const sorted = slices.toSorted((one, other) => dot(normal, one.position) - dot(normal, other.position));
  requireEvenSteps(sorted);
  return sorted;
}

function areParallel(one: Slice, other: Slice): boolean {
  const directions = ({ rowDirection, columnDirection }: Slice) => [...rowDirection, ...columnDirection];
  const others = directions(other);
  return (
    one.rows === other.rows &&
    one.columns === other.columns &&
    directions(one).every((value, i) => Math.abs(value - others[i]) < SAME) &&
    one.spacing.every((value, i) => Math.abs(value / other.spacing[i] - 1) < SAME)
  );
}

/** @throws UserError where two slices lie in one place, or one not where even steps from the first to the last have it */
function requireEvenSteps(slices: readonly Slice[]): void {
  const [first] = slices;
  const step = stepOf(slices);
  const length = Math.hypot(...step);
  const distance = (slice: Slice, from: Slice, steps: number) =>
    Math.hypot(...slice.position.map((value, axis) => value - from.position[axis] - steps * step[axis]));
  const twice = slices.findIndex(
    (slice, i) => i > 0 && distance(slice, slices[i - 1], 0) < SAME * Math.min(...first.spacing),
  );
  if (twice > 0) {
    const what = `it lies where ${slices[twice - 1].file} lies`;
    throw new UserError(`${slices[twice].file}: ${what}. Keep one volume (one time, one echo) in the folder.`);
  }
  const odd = slices.findIndex((slice, i) => distance(slice, first, i) > STEP_TOLERANCE * length);
  if (odd > 0) {
    const away = distance(slices[odd], first, odd).toPrecision(3);
    const what = `it lies ${away} mm from where even steps of ${length.toPrecision(3)} mm would have it`;
    throw new UserError(`${slices[odd].file}: ${what}. Add the slices that are missing, or resample the series.`);
  }
}

/** From a slice to the next, on average. */
function stepOf(slices: readonly Slice[]): Triple {
  const [from, to] = [slices[0].position, slices[slices.length - 1].position];
  const step = (axis: 0 | 1 | 2) => (to[axis] - from[axis]) / (slices.length - 1);
  return [step(0), step(1), step(2)];
}

/** Slices that are shifted against each other, as of a tilted gantry, make a sheared affine. */
function gridOf(slices: readonly Slice[]): Grid {
  const [{ rows, columns, position, rowDirection, columnDirection, spacing }] = slices;
  const [betweenRows, betweenColumns] = spacing;
  const step = stepOf(slices);
  const row = (axis: 0 | 1 | 2) =>
    [rowDirection[axis] * betweenColumns, columnDirection[axis] * betweenRows, step[axis], position[axis]] as const;
  const affine = affineFromLps([row(0), row(1), row(2), [0, 0, 0, 1]]);
  return gridAt([slices.length, rows, columns], 1, affine);
}
