/**
 * A data set from its folder: its cases, every problem that it has, its fingerprint, the folds, and its scans as volumes. Loads no libtorch.
 *
 * @module ronasmis/data
 */
export { UserError } from '../base/errors.ts';
export type { Triple } from '../base/geometry.ts';
export type { Voxels } from '../base/voxels.ts';
export type { Affine } from '../formats/affine.ts';
export { writeNifti } from '../formats/nifti.ts';
export type { WritableVolume } from '../formats/nifti-content.ts';
export type { Maker } from '../formats/nifti-mark.ts';
export type { Turn } from '../formats/orientation.ts';
export type { Misplaced, Placed } from '../formats/placement.ts';
export { readLabelMap, readVolume } from '../formats/read-volume.ts';
export type { Grid, Volume } from '../formats/volume.ts';
export type { Case, LoadedCase } from './case.ts';
export { type CheckOptions, type CheckResult, checkDataSet } from './check.ts';
export { type DataSet, readDataSet } from './dataset.ts';
export type { Labelling, Region } from './description.ts';
export { type CaseSummary, type Fingerprint, fingerprintSchema, type Intensities } from './fingerprint.ts';
export { type CaseSplit, splitCases } from './folds.ts';
export type { Label } from './label.ts';
export { type Normalisation, normalisationSchema } from './normalisation.ts';
export type { Clip } from './outliers.ts';
export { writePhantomDataSet } from './phantom.ts';
export { type Problem, problemSchema } from './problem.ts';
