/**
 * What segments a scan in a page: the modules that `predict` runs, without libtorch and without Node's files. `@ronasmis/libtorch` and `node:path`
 * are what the page's build puts in their place.
 *
 * @module ronasmis/segmenter
 */
export { architectureSchema } from './architecture/architecture.ts';
export { UserError } from './base/errors.ts';
export { reversed, type Triple } from './base/geometry.ts';
export type { Voxels } from './base/voxels.ts';
export { findChannels, scanOf, singleScans } from './data/channels.ts';
export { checkVoxels } from './data/check-voxels.ts';
export { clipWarnings } from './data/outliers.ts';
export { spacingOf } from './formats/affine.ts';
export { type FileBytes, isDicom, openSeries } from './formats/dicom-files.ts';
export { dicomSegmentation } from './formats/dicom-seg.ts';
export type { SourceSeries } from './formats/dicom-source.ts';
export { endings } from './formats/endings.ts';
export { niftiContent, niftiVolume, PackingError, type Unpacking } from './formats/nifti-content.ts';
export type { Volume } from './formats/volume.ts';
export {
  type ElsewherePlan,
  planElsewhere,
  type RunNetwork,
  type SegmentingModel,
  segmentElsewhere,
} from './inference/segment-elsewhere.ts';
export { labelValues } from './preparation/label-values.ts';
export { formatBytes } from './report/format.ts';
export { segmentingSchema } from './run/run-record.ts';
