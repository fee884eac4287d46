import { voxelsOf } from '../base/geometry.ts';
import { countValues, sum } from '../base/statistics.ts';
import type { Misplaced } from '../formats/placement.ts';
import { faultOf } from '../formats/volume.ts';
import type { LoadedCase } from './case.ts';
import { checkVoxels } from './check-voxels.ts';
import { foregroundBox } from './crop.ts';
import { cropLabel } from './cropped-label.ts';
import type { DataSet } from './dataset.ts';
import { isCt } from './normalisation.ts';
import { clipWarnings } from './outliers.ts';
import { type CaseProblem, type Problem, problem } from './problem.ts';

/** So many stray label values are listed in a message. */
const MAX_LISTED_VALUES = 5;

/** Everything that is wrong with one case, errors and warnings. */
export function checkCase(loaded: LoadedCase, dataSet: DataSet): readonly CaseProblem[] {
  const geometry = checkGeometry(loaded);
  const isSound = geometry.every(({ severity }) => severity === 'warning');
  const fits = isSound ? checkCrop(loaded, dataSet) : [];
  const clips = clipWarnings(loaded.image, loaded.clips, (channel) => !isCt(dataSet.channels[channel] ?? ''));
  const image = [...checkImage(loaded, dataSet), ...clips];
  return [...geometry, ...image, ...checkLabel(loaded, dataSet), ...fits];
}

function checkGeometry({
  image,
  label,
  imageVolume,
  misplacedChannels,
  labelPlace,
}: LoadedCase): readonly CaseProblem[] {
  const { kind, what, voxels } = labelPlace;
  const fault = faultOf(imageVolume);
  return [
    ...(fault === undefined ? [] : [problem('error', image, fault)]),
    ...misplacedChannels.map((channel) => beside(channel, 'channel files')),
    ...(kind === 'near' ? [beside({ file: label, what, voxels }, 'labels')] : []),
    ...(kind === 'elsewhere' ? [problem('error', label, `${what}. Export the label on the grid of its image.`)] : []),
  ];
}

/** Of a file that lies a little beside the one that it belongs to; `files` of its kind. */
export function beside({ file, what, voxels }: Misplaced, files: string): CaseProblem {
  return problem('warning', file, `${what}. It is taken as if it lay there; check that its header is right.`, {
    several: `have ${files} that lie beside their images, by less than half a voxel`,
    fix: 'They are taken as if they lay there; check that their headers are right.',
    what: `${voxels.toPrecision(2)} voxels`,
    distance: voxels,
  });
}

function checkImage({ image, imageVolume }: LoadedCase, { channels }: DataSet): readonly CaseProblem[] {
  const problems: CaseProblem[] = [];
  const found = imageVolume.channels;
  if (faultOf(imageVolume) === undefined && found !== channels.length) {
    const counts = `it has ${found} channels, but dataset.json lists ${channels.length} (${channels.join(', ')})`;
    problems.push(problem('error', image, `${counts}. Correct dataset.json or the image.`));
  }
  return [...problems, ...checkVoxels(image, imageVolume)];
}

function checkLabel({ label, labelVolume }: LoadedCase, { labels, ignoredValue }: DataSet): readonly Problem[] {
  const found = [...countValues(labelVolume.data).keys()].sort((left, right) => left - right);
  const listed = new Set([...labels.map(({ value }) => value), ignoredValue]);
  const unlisted = found.filter((value) => !listed.has(value));
  const problems: Problem[] = [];
  if (unlisted.length > 0) {
    const some = unlisted.slice(0, MAX_LISTED_VALUES).join(', ') + (unlisted.length > MAX_LISTED_VALUES ? ', ...' : '');
    const what = unlisted.every(Number.isInteger) ? 'label values' : 'values that are no whole numbers';
    const fix = 'Add them to "labels" in dataset.json or correct the label map.';
    problems.push(problem('error', label, `it holds ${what} that dataset.json does not list: ${some}. ${fix}`));
  }
  return problems;
}

function checkCrop({ label, imageVolume, labelVolume }: LoadedCase, dataSet: DataSet): readonly CaseProblem[] {
  const box = foregroundBox(imageVolume);
  if (voxelsOf(box.shape) === voxelsOf(imageVolume.shape)) return [];
  const labelValues = dataSet.labels.map(({ value }) => value);
  const { outsideCrop } = cropLabel(labelVolume, box, { labelValues, ignoredValue: dataSet.ignoredValue });
  const outside = sum(outsideCrop);
  if (outside === 0) return [];
  const counts = countValues(labelVolume.data);
  const all = labelValues.slice(1).reduce((sum, value) => sum + (counts.get(value) ?? 0), 0);
  const what = `${outside} of its ${all} labelled voxels lie in the border where the image is 0, which is cut off`;
  const fix = "they can't be found. Check that label and image belong together.";
  const kind = {
    several: "have labelled voxels in the border where the image is 0, which is cut off, so that they can't be found",
    fix: 'Check that their labels and images belong together.',
    what: `${outside} of ${all}`,
    distance: outside / all,
  };
  return [problem('warning', label, `${what}: ${fix}`, kind)];
}
