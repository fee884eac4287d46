import { channelsOf, type LoadedCase, type Problem, spatialShape } from './case.ts';
import { foregroundBox } from './crop.ts';
import { cropLabel } from './cropped-label.ts';
import type { DataSet } from './dataset.ts';
import { voxelsOf } from './spacing.ts';
import { channelRanges, countValues } from './statistics.ts';
import { faultOf } from './volume.ts';

/** So many stray label values are listed in a message. */
const MAX_LISTED_VALUES = 5;

/** Everything that is wrong with one case, errors and warnings. */
export function checkCase(loaded: LoadedCase, dataSet: DataSet): readonly Problem[] {
  const geometry = checkGeometry(loaded);
  const isSound = geometry.every(({ severity }) => severity === 'warning');
  const fits = isSound ? checkCrop(loaded, dataSet) : [];
  return [...geometry, ...checkImage(loaded, dataSet), ...checkLabel(loaded, dataSet), ...fits];
}

function checkGeometry({ image, label, imageVolume, imageWarnings, labelPlace }: LoadedCase): readonly Problem[] {
  const { kind, what } = labelPlace;
  const fault = faultOf(imageVolume);
  const mend =
    kind === 'near'
      ? 'It is taken as if it lay there; check that its header is right.'
      : 'Export the label on the grid of its image.';
  return [
    ...(fault === undefined ? [] : [problem('error', image, fault)]),
    ...imageWarnings.map((message): Problem => ({ severity: 'warning', file: image, message })),
    ...(kind === 'same' ? [] : [problem(kind === 'near' ? 'warning' : 'error', label, `${what}. ${mend}`)]),
  ];
}

function checkImage({ image, imageVolume }: LoadedCase, { channels }: DataSet): readonly Problem[] {
  const problems: Problem[] = [];
  const found = channelsOf(imageVolume);
  if (faultOf(imageVolume) === undefined && found !== channels.length) {
    const counts = `it has ${found} channels, but dataset.json lists ${channels.length} (${channels.join(', ')})`;
    problems.push(problem('error', image, `${counts}. Correct dataset.json or the image.`));
  }
  channelRanges(imageVolume.data, found).forEach(({ allFinite, min, max }, channel) => {
    if (!allFinite) {
      const what = `channel ${channel} holds voxels that are not numbers (NaN or infinite)`;
      problems.push(problem('error', image, `${what}. Replace them, by 0 for example.`));
    } else if (min === max) {
      problems.push(problem('warning', image, `channel ${channel} is ${min} everywhere. Is this scan empty?`));
    }
  });
  return problems;
}

function checkLabel({ label, labelVolume }: LoadedCase, { labels, ignoredValue }: DataSet): readonly Problem[] {
  const found = [...countValues(labelVolume.data).keys()].sort((left, right) => left - right);
  const listed = new Set([...labels.map(({ value }) => value), ignoredValue]);
  const unlisted = found.filter((value) => !listed.has(value));
  const problems: Problem[] = [];
  if (unlisted.length > 0) {
    const some = unlisted.slice(0, MAX_LISTED_VALUES).join(', ') + (unlisted.length > MAX_LISTED_VALUES ? ', ...' : '');
    const what = unlisted.every(Number.isInteger) ? 'label values' : 'values that are no whole numbers';
    const mend = 'Add them to "labels" in dataset.json or correct the label map.';
    problems.push(problem('error', label, `it holds ${what} that dataset.json does not list: ${some}. ${mend}`));
  }
  if (found.every((value) => value === 0 || value === ignoredValue)) {
    problems.push(problem('error', label, 'the label is empty (background only). Segment it or remove the case.'));
  }
  return problems;
}

function checkCrop({ label, imageVolume, labelVolume }: LoadedCase, dataSet: DataSet): readonly Problem[] {
  const shape = spatialShape(imageVolume);
  const { offset, shape: size } = foregroundBox(imageVolume.data, channelsOf(imageVolume), shape);
  if (voxelsOf(size) === voxelsOf(shape)) return [];
  const labelValues = dataSet.labels.map(({ value }) => value);
  const { outsideCrop } = cropLabel(
    labelVolume,
    { offset, size, shape },
    { labelValues, ignoredValue: dataSet.ignoredValue },
  );
  const outside = outsideCrop.reduce((sum, voxels) => sum + voxels, 0);
  if (outside === 0) return [];
  const counts = countValues(labelVolume.data);
  const all = labelValues.slice(1).reduce((sum, value) => sum + (counts.get(value) ?? 0), 0);
  const what = `${outside} of its ${all} labelled voxels lie in the border where the image is 0, which is cut off`;
  return [problem('warning', label, `${what}: they can't be found. Check that label and image belong together.`)];
}

/** A problem whose message begins with its file. */
export function problem(severity: Problem['severity'], file: string, sentence: string): Problem {
  return { severity, file, message: `${file}: ${sentence}` };
}
