import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrently } from '../base/concurrency.ts';
import { UserError } from '../base/errors.ts';
import { isUnreadableName, readBytes, UNREADABLE_NAME, withCopies } from '../base/files.ts';
import type { Voxels } from '../base/voxels.ts';
import { withPreamble } from './dicom-elements.ts';
import type { Slice } from './dicom-slice.ts';
import { readElements, readSlice } from './dicom-slice-file.ts';
import { type SourceSeries, sourceSeriesOf } from './dicom-source.ts';
import { gridOf, sortSlices } from './dicom-stack.ts';
import { readItkSlices } from './itk.ts';
import { volumeOn } from './nifti-header.ts';
import { listDicom } from './scan-files.ts';
import type { Grid, Volume } from './volume.ts';

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
  return sortSlices(
    folder,
    found.filter((slice) => slice !== undefined),
  );
}
