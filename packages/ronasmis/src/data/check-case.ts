import { affineDifference, affineTolerance } from './affine.ts';
import { channelsOf, type LoadedCase, type Problem, spatialShape } from './case.ts';
import { cropVolume, foregroundBox } from './crop.ts';
import type { DataSet } from './dataset.ts';
import type { Voxels } from './nifti-types.ts';
import { voxelsOf } from './spacing.ts';
import { channelRanges, countValues } from './statistics.ts';

/** So many stray label values are listed in a message. */
const MAX_LISTED_VALUES = 5;

/** Everything that is wrong with one case, errors and warnings. */
export function checkCase(loaded: LoadedCase, dataSet: DataSet): readonly Problem[] {
  const geometry = checkGeometry(loaded);
  const fits = geometry.length === 0 ? checkCrop(loaded, dataSet) : [];
  return [...geometry, ...checkImage(loaded, dataSet), ...checkLabel(loaded, dataSet), ...fits];
}

function checkGeometry({ image, label, imageVolume, labelVolume }: LoadedCase): readonly Problem[] {
  const problems: Problem[] = [];
  const { shape } = imageVolume;
  if (shape.length < 3 || Math.min(...spatialShape(imageVolume)) === 1) {
    const what = `this is a 2D image (${shape.join(' x ')} voxels)`;
    problems.push(problem('error', image, `${what}. Give 3D scans: stack the slices into one volume.`));
  }
  if (shape.slice(4).some((size) => size > 1)) {
    problems.push(problem('error', image, `it has ${shape.length} dimensions. Keep x, y, z and channels.`));
  }
  const [imageShape, labelShape] = [imageVolume, labelVolume].map((volume) =>
    spatialShape(volume).toReversed().join(' x '),
  );
  const labelIsVector = labelVolume.shape.slice(3).some((size) => size > 1);
  if (imageShape !== labelShape || labelIsVector) {
    const shapes = `its ${labelVolume.shape.join(' x ')} voxels do not fit the ${imageShape} of ${image}`;
    problems.push(problem('error', label, `${shapes}. Export the label on the grid of its image.`));
  }
  const difference = affineDifference(imageVolume.affine, labelVolume.affine);
  if (difference > affineTolerance) {
    const apart = `it is placed differently than ${image} (the affines differ by up to ${difference.toPrecision(3)} mm)`;
    problems.push(problem('error', label, `${apart}. Export the label on the grid of its image.`));
  }
  return problems;
}

function checkImage({ image, imageVolume }: LoadedCase, { channels }: DataSet): readonly Problem[] {
  const problems: Problem[] = [];
  const found = channelsOf(imageVolume);
  if (found !== channels.length) {
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

function checkCrop({ label, imageVolume, labelVolume }: LoadedCase, { ignoredValue }: DataSet): readonly Problem[] {
  const shape = spatialShape(imageVolume);
  const box = foregroundBox(imageVolume.data, channelsOf(imageVolume), shape);
  const inside = new Float32Array(voxelsOf(box.shape));
  if (inside.length === labelVolume.data.length) return [];
  cropVolume(labelVolume.data, 0, shape, box, inside);
  const labelled = (values: Voxels): number => {
    const counts = [...countValues(values)].filter(([value]) => value !== 0 && value !== ignoredValue);
    return counts.reduce((sum, [, count]) => sum + count, 0);
  };
  const [all, found] = [labelled(labelVolume.data), labelled(inside)];
  if (found === all) return [];
  const what = `${all - found} of its ${all} labelled voxels lie in the border where the image is 0, which is cut off`;
  return [problem('warning', label, `${what}: they can't be found. Check that label and image belong together.`)];
}

/** A problem whose message begins with its file. */
export function problem(severity: Problem['severity'], file: string, sentence: string): Problem {
  return { severity, file, message: `${file}: ${sentence}` };
}
