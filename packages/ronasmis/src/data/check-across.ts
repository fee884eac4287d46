import type { Problem } from './case.ts';
import { problem } from './check-case.ts';
import { type DataSet, some } from './dataset.ts';
import { formatAxes, formatFigure } from './figures.ts';
import { type CaseSummary, classMillilitres } from './fingerprint.ts';
import { splitCases } from './folds.ts';
import { isCt } from './normalisation.ts';
import { scansOfPatients } from './patients.ts';
import { commonSpacing, growsTooMuch } from './spacing.ts';
import { quantile } from './statistics.ts';

/** A value is odd where it differs from the median by more than this factor, and by more than is common among the others. */
const spacingFactor = 1.5;
const sizeFactor = 3;
const volumeFactor = 10;
const scaleFactor = 10;
/** A CT of other units, such as without its offset of 1024, is so many usual ranges away. */
const ctShift = 2;
/** Volumes of a class in fewer cases than this say nothing of what is usual. */
const fewestVolumes = 5;
/** A normal distribution has one value in a million beyond so many deviations. */
const deviations = 5;
/** Of a normal distribution, the deviation over the median absolute deviation. */
const deviationOverMad = 1.4826;

/** What shows only when all cases are looked at together. */
export function checkAcross(
  dataSet: DataSet,
  summaries: readonly CaseSummary[],
  folds: number,
  orientation: string,
): readonly Problem[] {
  const { folder, cases } = dataSet;
  const names = cases.map(({ name }) => name);
  const tests =
    cases.length < Math.max(folds, 3)
      ? []
      : Array.from({ length: folds }, (_, fold) => splitCases(names, { folds, fold }).test);
  const tooFew = `it has ${cases.length} cases, fewer than the ${folds} folds. Add cases or lower --folds.`;
  return [
    ...(cases.length < folds ? [problem('error', folder, tooFew)] : []),
    ...checkSpacing(summaries),
    ...checkSize(summaries),
    ...checkOrientation(summaries, orientation),
    ...dataSet.channels.flatMap((_, channel) => checkIntensities(dataSet, summaries, channel)),
    ...checkClasses(dataSet, summaries, folds, tests),
    ...checkVolumes(dataSet, summaries),
    ...checkDuplicates(summaries),
    ...checkPatients(folder, names, tests),
  ];
}

/**
 * Which of the values are far from their median: by more than `factor`, and by more than five deviations of their logarithms, so that values
 * that differ much anyway are not all odd. Values of 0 are passed over.
 */
function oddOnes(values: readonly number[], factor: number): readonly boolean[] {
  const positive = values.filter((value) => value > 0);
  const middle = median(positive);
  const distance = (value: number): number => Math.abs(Math.log(value / middle));
  const limit = Math.max(Math.log(factor), deviations * deviationOverMad * median(positive.map(distance)));
  return values.map((value) => value > 0 && distance(value) > limit);
}

const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((left, right) => left - right),
    0.5,
  );

/** Cases in which one of the three axes is odd, and the medians of the axes. */
function oddAlongAxes(
  summaries: readonly CaseSummary[],
  valuesOf: (summary: CaseSummary) => readonly number[],
  factor: number,
) {
  const axes = [0, 1, 2].map((axis) => summaries.map((summary) => valuesOf(summary)[axis]));
  const odd = axes.map((values) => oddOnes(values, factor));
  return { cases: summaries.filter((_, i) => odd.some((axis) => axis[i])), medians: axes.map(median) };
}

function checkSpacing(summaries: readonly CaseSummary[]): readonly Problem[] {
  if (summaries.length === 0) return [];
  const { cases, medians } = oddAlongAxes(summaries, ({ spacing }) => spacing, spacingFactor);
  const common = commonSpacing(summaries);
  const tooLarge = summaries.filter((summary) => growsTooMuch(summary, common));
  return [
    ...tooLarge.map(({ image, spacing }) => {
      const what = `at the data set's spacing of ${formatAxes(common)} mm it would be far too large, for its own is ${formatAxes(spacing)} mm`;
      return problem('error', image, `${what}. Correct its header, or remove it.`);
    }),
    ...cases
      .filter((summary) => !tooLarge.includes(summary))
      .map(({ image, spacing }) => {
        const what = `its spacing of ${formatAxes(spacing)} mm is far from the median, ${formatAxes(medians)} mm`;
        return problem(
          'warning',
          image,
          `${what}. It is resampled to agree with them; check that its header is right.`,
        );
      }),
  ];
}

function checkSize(summaries: readonly CaseSummary[]): readonly Problem[] {
  const { cases, medians } = oddAlongAxes(summaries, ({ shape }) => shape, sizeFactor);
  return cases.map(({ image, shape }) => {
    const what = `its size of ${shape.toReversed().join(' x ')} voxels is far from the median, ${formatAxes(medians)}`;
    return problem('warning', image, `${what}. Check that it is whole; crop it if it shows more than the others.`);
  });
}

function checkOrientation(summaries: readonly CaseSummary[], usual: string): readonly Problem[] {
  return summaries
    .filter(({ orientation }) => orientation !== usual)
    .map(({ image, orientation }) => {
      const what = `its voxel axes point to ${orientation}, those of most cases to ${usual}`;
      return problem('warning', image, `${what}. It is turned to agree with them; check that its header is right.`);
    });
}

function checkIntensities(
  { folder, channels }: DataSet,
  summaries: readonly CaseSummary[],
  channel: number,
): readonly Problem[] {
  const cases = summaries.map(({ name, image, intensities }) => {
    const sorted = intensities[channel].toSorted();
    const [low, middle, high] = [0.005, 0.5, 0.995].map((fraction) => quantile(sorted, fraction));
    return { name, image, low, middle, high, range: high - low };
  });
  const medianOf = (of: 'low' | 'middle' | 'high' | 'range'): number => median(cases.map((one) => one[of]));
  const [usualMiddle, usualRange] = [medianOf('middle'), medianOf('range')];
  const scaled = oddOnes(
    cases.map(({ range }) => range),
    scaleFactor,
  );
  const what = `channel ${channel} (${channels[channel]}), where it is labelled,`;
  const usual = `from ${formatFigure(medianOf('low'))} to ${formatFigure(medianOf('high'))} in the median case`;
  if (isCt(channels[channel])) {
    return cases
      .filter(({ middle }, i) => scaled[i] || Math.abs(middle - usualMiddle) > ctShift * usualRange)
      .map(({ image, low, high }) => {
        const range = `${what} goes from ${formatFigure(low)} to ${formatFigure(high)}, but ${usual}`;
        return problem('warning', image, `${range}. Check that it is in Hounsfield units, also by its header.`);
      });
  }
  const odd = cases.filter((_, i) => scaled[i]);
  if (odd.length === 0) return [];
  const [{ low, high }] = odd;
  const scale = `${what} has another scale: from ${formatFigure(low)} to ${formatFigure(high)} in the first of them, ${usual}`;
  const mend = 'Scans are z-scored, so that this does no harm by itself; check that they are of the same kind.';
  return [problem('warning', folder, `in ${some(odd.map(({ name }) => name))}, ${scale}. ${mend}`)];
}

function checkClasses(
  dataSet: DataSet,
  summaries: readonly CaseSummary[],
  folds: number,
  tests: readonly (readonly string[])[],
): readonly Problem[] {
  return dataSet.labels.slice(1).flatMap(({ value, name }, index) => {
    const present = summaries.filter(({ classVoxels }) => classVoxels[index + 1] > 0).map((summary) => summary.name);
    const without = tests.flatMap((test, fold) => (test.some((one) => present.includes(one)) ? [] : [fold]));
    if (present.length >= folds && without.length === 0) return [];
    const what = `label ${value} (${name}) is in ${present.length} of ${summaries.length} cases`;
    const where =
      without.length > 0 ? `no test case of --fold ${without.join(', ')} has it` : 'some folds will lack it';
    return [problem('warning', dataSet.folder, `${what}: ${where}. Add cases that show it.`)];
  });
}

function checkVolumes(dataSet: DataSet, summaries: readonly CaseSummary[]): readonly Problem[] {
  return dataSet.labels.slice(1).flatMap(({ value, name }, index) => {
    const volumes = summaries.map((summary) => classMillilitres(summary)[index + 1]);
    const present = volumes.filter((volume) => volume > 0);
    if (present.length < fewestVolumes) return [];
    const odd = oddOnes(volumes, volumeFactor);
    return summaries.flatMap(({ label }, i) => {
      if (!odd[i]) return [];
      const what = `label ${value} (${name}) takes ${formatFigure(volumes[i])} ml, in the median case ${formatFigure(median(present))} ml`;
      return [problem('warning', label, `${what}. Check that it is whole, and that nothing else has this label.`)];
    });
  });
}

function checkDuplicates(summaries: readonly CaseSummary[]): readonly Problem[] {
  const first = new Map<string, string>();
  return summaries.flatMap(({ image, voxelsSha256 }) => {
    const other = first.get(voxelsSha256);
    first.set(voxelsSha256, other ?? image);
    if (other === undefined) return [];
    return [
      problem(
        'warning',
        image,
        `it has the same voxels as ${other}. Remove one: copies in two folds flatter the Dice.`,
      ),
    ];
  });
}

function checkPatients(
  folder: string,
  names: readonly string[],
  tests: readonly (readonly string[])[],
): readonly Problem[] {
  const foldOf = new Map(tests.flatMap((test, fold) => test.map((name) => [name, fold])));
  const split = scansOfPatients(names).filter((scans) => new Set(scans.map((name) => foldOf.get(name))).size > 1);
  if (split.length === 0) return [];
  const others = split.length === 1 ? '' : `, and those of ${split.length - 1} more patients`;
  const what = `by their names ${split[0].join(' and ')} are of one patient${others}, but lie in different folds`;
  const mend = 'If they are, keep one scan of each patient: a Dice on patients who were trained on is flattered.';
  return [problem('warning', folder, `${what} (names that agree up to the last _ or -). ${mend}`)];
}
