import { voxelsOf } from '../base/geometry.ts';
import type { Label } from '../data/label.ts';
import { writeDicomSegmentation } from '../formats/dicom-seg-file.ts';
import type { SourceSeries } from '../formats/dicom-source.ts';
import { writeNifti } from '../formats/nifti.ts';
import type { Maker } from '../formats/nifti-mark.ts';
import type { Volume } from '../formats/volume.ts';
import { labelValues, rowsOf, type Segmentation, turnBack } from './label-values.ts';

/** With what a segmentation is written: the data set's labels, the background first, and which work made it. */
interface Written {
  readonly labels: readonly Label[];
  readonly maker: Maker;
}

/**
 * Writes a segmentation on its scan's own grid, with the data set's label values: uint8 where they fit. What was cropped
 * away is background; what was turned is turned back; affine, form codes, spacing, units and extensions are the scan's. The description
 * says which run made it of which scan (`maker`).
 * @throws UserError where the folder cannot be written to.
 */
export async function writeLabelMap(
  file: string,
  scan: Volume,
  segmentation: Segmentation,
  { labels, maker }: Written,
): Promise<void> {
  const data = labelValues(segmentation, labels);
  await writeNifti(file, { shape: scan.shape, data, prefix: scan.prefix, maker });
}

/**
 * Writes a segmentation of a DICOM series as a DICOM Segmentation that refers to it, a segment a label.
 * @throws UserError where the folder cannot be written to, or it would be larger than a DICOM file can be
 */
export async function writeSegments(
  file: string,
  source: SourceSeries,
  segmentation: Segmentation,
  { labels, maker }: Written,
): Promise<void> {
  const [, ...segments] = labels;
  await writeDicomSegmentation(file, { source, data: labelValues(segmentation, labels), segments, maker });
}

/** What the name of a file of class probabilities has behind that of its label map. */
export const probabilitiesSuffix = '_probabilities';

/**
 * Writes the probabilities of a segmentation on its scan's own grid, as float32 with the classes along the fourth dimension. What was
 * cropped away is background for sure.
 * @throws UserError where the folder cannot be written to.
 */
export async function writeProbabilities(
  file: string,
  scan: Volume,
  segmentation: Segmentation & Required<Pick<Segmentation, 'probabilities'>>,
  maker: Maker,
): Promise<void> {
  const { probabilities, crop } = segmentation;
  const [inside, voxels] = [voxelsOf(crop.shape), voxelsOf(crop.scanShape)];
  const classes = probabilities.length / inside;
  const data = new Float32Array(classes * voxels).fill(1, 0, voxels);
  for (let index = 0; index < classes; index++) {
    const values = probabilities.subarray(index * inside, (index + 1) * inside);
    for (const { from, to } of rowsOf(crop)) data.set(values.subarray(from, from + crop.shape[2]), index * voxels + to);
  }
  const turned = turnBack(data, segmentation);
  await writeNifti(file, { shape: scan.shape, channels: classes, data: turned, prefix: scan.prefix, maker });
}
