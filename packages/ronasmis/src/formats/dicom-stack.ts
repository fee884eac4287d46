import { UserError } from '../base/errors.ts';
import type { Triple } from '../base/geometry.ts';
import { affineFromLps, cross, dot } from './affine.ts';
import type { Slice } from './dicom-slice.ts';
import { type Grid, gridAt } from './volume.ts';

/** How far a slice may lie from where even steps have it, as a part of a step: headers are rounded, and a missing slice makes half a step. */
const STEP_TOLERANCE = 0.1;
/** How much directions (unit vectors) may differ, and spacings and places as a share of the pixels', and be the same. */
const SAME = 1e-3;

/**
 * The slices of a series in the order of a volume, along the normal of their planes.
 * @param folder that they are of, which messages name
 * @throws UserError where they are none or of several series, differ in size or direction, or some are missing
 */
export function sortSlices(folder: string, slices: readonly Slice[]): readonly Slice[] {
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

/** The grid of sorted slices: those that are shifted against each other, as of a tilted gantry, make a sheared affine. */
export function gridOf(slices: readonly Slice[]): Grid {
  const [{ rows, columns, position, rowDirection, columnDirection, spacing }] = slices;
  const [betweenRows, betweenColumns] = spacing;
  const step = stepOf(slices);
  const row = (axis: 0 | 1 | 2) =>
    [rowDirection[axis] * betweenColumns, columnDirection[axis] * betweenRows, step[axis], position[axis]] as const;
  const affine = affineFromLps([row(0), row(1), row(2), [0, 0, 0, 1]]);
  return gridAt([slices.length, rows, columns], 1, affine);
}
