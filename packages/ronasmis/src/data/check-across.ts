import { formatAxes, formatFigure } from '../base/figures.ts';
import { quantile } from '../base/statistics.ts';
import type { DataSet } from './dataset.ts';
import { type CaseSummary, classMillilitres } from './fingerprint.ts';
import { splitCases } from './folds.ts';
import { isCt } from './normalisation.ts';
import { median, oddAlongAxes, oddness } from './oddness.ts';
import { scansOfPatients } from './patients.ts';
import { type CaseProblem, problem } from './problem.ts';
import { commonSpacing, misfitAt } from './spacing.ts';

/** A value is odd where it differs from the median by more than this factor, and by more than is common among the others. */
const spacingFactor = 1.5;
const sizeFactor = 3;
const volumeFactor = 10;
const scaleFactor = 10;
/** A CT of other units, such as without its offset of 1024, is so many usual ranges away. */
const ctShift = 2;
/** Volumes of a class in fewer cases than this say nothing of what is usual. */
const fewestVolumes = 5;
/** More labels that are rare are one line. */
const singleLabels = 3;
/** What shows only when all cases are looked at together; `summaries` are those of the cases without an error. */
export function checkAcross(
  dataSet: DataSet,
  summaries: readonly CaseSummary[],
  folds: number,
  orientation: string,
): readonly CaseProblem[] {
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

function checkSpacing(summaries: readonly CaseSummary[]): readonly CaseProblem[] {
  if (summaries.length === 0) return [];
  const { cases, medians } = oddAlongAxes(summaries, ({ spacing }) => spacing, spacingFactor);
  const common = commonSpacing(summaries);
  const misfits = new Map(summaries.map((summary) => [summary.image, misfitAt(summary, common)]));
  const far = `far from the median, ${formatAxes(medians)} mm`;
  return [
    ...summaries.flatMap(({ image, spacing }) => {
      const misfit = misfits.get(image);
      if (misfit === undefined) return [];
      const what = `at the data set's spacing of ${formatAxes(common)} mm it would be ${misfit}, for its own is ${formatAxes(spacing)} mm`;
      return [problem('error', image, `${what}. Correct its header, or remove it.`)];
    }),
    ...cases
      .filter(({ image }) => misfits.get(image) === undefined)
      .map(({ image, spacing, distance }) => {
        const what = `${formatAxes(spacing)} mm`;
        const fix = 'It is resampled to agree with them; check that its header is right.';
        return problem('warning', image, `its spacing of ${what} is ${far}. ${fix}`, {
          several: `have a spacing ${far}`,
          fix: 'They are resampled to agree with the others; check that their headers are right.',
          what,
          distance,
        });
      }),
  ];
}

function checkSize(summaries: readonly CaseSummary[]): readonly CaseProblem[] {
  const { cases, medians } = oddAlongAxes(summaries, ({ shape }) => shape, sizeFactor);
  const far = `far from the median, ${formatAxes(medians)}`;
  return cases.map(({ image, shape, distance }) => {
    const what = `${shape.toReversed().join(' x ')} voxels`;
    const fix = 'Check that it is whole; crop it if it shows more than the others.';
    return problem('warning', image, `its size of ${what} is ${far}. ${fix}`, {
      several: `have a size ${far}`,
      fix: 'Check that they are whole; crop them if they show more than the others.',
      what,
      distance,
    });
  });
}

function checkOrientation(summaries: readonly CaseSummary[], usual: string): readonly CaseProblem[] {
  return summaries
    .filter(({ orientation }) => orientation !== usual)
    .map(({ image, orientation }) => {
      const what = `its voxel axes point to ${orientation}, those of most cases to ${usual}`;
      const fix = 'It is turned to agree with them; check that its header is right.';
      return problem('warning', image, `${what}. ${fix}`, {
        several: `have voxel axes that do not point to ${usual}, as those of most cases do`,
        fix: 'They are turned to agree with them; check that their headers are right.',
        what: orientation,
        distance: 0,
      });
    });
}

function checkIntensities(
  { channels }: DataSet,
  summaries: readonly CaseSummary[],
  channel: number,
): readonly CaseProblem[] {
  const labelled = summaries.filter(({ intensities }) => intensities[channel].length > 0);
  const cases = labelled.map(({ image, intensities }) => {
    const sorted = intensities[channel].toSorted();
    const [low, middle, high] = [0.005, 0.5, 0.995].map((fraction) => quantile(sorted, fraction));
    return { image, low, middle, high, range: high - low };
  });
  const medianOf = (of: 'low' | 'middle' | 'high' | 'range'): number => median(cases.map((one) => one[of]));
  const [usualMiddle, usualRange] = [medianOf('middle'), medianOf('range')];
  const ct = isCt(channels[channel]);
  const scaled = oddness(
    cases.map(({ range }) => range),
    scaleFactor,
  );
  const where = `channel ${channel} (${channels[channel]}), where it is labelled`;
  const usual = `from ${formatFigure(medianOf('low'))} to ${formatFigure(medianOf('high'))} in the median case`;
  const fix = ct
    ? 'Check that all are in Hounsfield units, also by their headers.'
    : 'Scans are z-scored; check that all are of the same kind, and that no voxel is far from the rest.';
  return cases.flatMap(({ image, low, middle, high }, i) => {
    const shift = ct && usualRange > 0 ? Math.abs(middle - usualMiddle) / usualRange : 0;
    if (scaled[i] === 0 && shift <= ctShift) return [];
    const what = `from ${formatFigure(low)} to ${formatFigure(high)}`;
    return problem('warning', image, `${where}, goes ${what}, but ${usual}. ${fix}`, {
      several: `have another scale in ${where}, ${usual}`,
      fix,
      what,
      distance: Math.max(scaled[i], shift),
    });
  });
}

/** Cases with errors have no summary, and may have the label: what only follows from their errors is not said. */
function checkClasses(
  dataSet: DataSet,
  summaries: readonly CaseSummary[],
  folds: number,
  tests: readonly (readonly string[])[],
): readonly CaseProblem[] {
  const { folder } = dataSet;
  const read = new Map(summaries.map((summary) => [summary.name, summary]));
  const rare = dataSet.labels.slice(1).flatMap(({ value, name }, index) => {
    const present = dataSet.cases.filter((one) => read.get(one.name)?.classVoxels[index + 1] !== 0);
    const names = new Set(present.map((one) => one.name));
    const without = tests.flatMap((test, fold) => (test.some((one) => names.has(one)) ? [] : [fold]));
    // Fewer cases than folds are an error of their own.
    if (names.size >= Math.min(folds, dataSet.cases.length) && without.length === 0) return [];
    const having = present.filter((one) => read.has(one.name)).length;
    const what = `label ${value} (${name}) is in ${having} of ${summaries.length} cases`;
    const where =
      without.length > 0 ? `no test case of --fold ${without.join(', ')} has it` : 'some folds will lack it';
    return [{ what, where, having }];
  });
  if (rare.length <= singleLabels)
    return rare.map(({ what, where }) => problem('warning', folder, `${what}: ${where}. Add cases that show it.`));
  const rarest = rare.toSorted((left, right) => left.having - right.having);
  const named = rarest.slice(0, singleLabels).map(({ what }) => what);
  const count = `${rare.length} of ${dataSet.labels.length - 1} labels are in so few cases that some folds lack them`;
  const together = problem('warning', folder, `${count}: above all ${named.join(', ')}. Add cases that show them.`);
  return [{ ...together, cases: rarest.map(({ what, where }) => ({ file: folder, what: `${what}: ${where}` })) }];
}

function checkVolumes(dataSet: DataSet, summaries: readonly CaseSummary[]): readonly CaseProblem[] {
  return dataSet.labels.slice(1).flatMap(({ value, name }, index) => {
    const volumes = summaries.map((summary) => classMillilitres(summary)[index + 1]);
    const present = volumes.filter((volume) => volume > 0);
    if (present.length < fewestVolumes) return [];
    const odd = oddness(volumes, volumeFactor);
    const usual = `in the median case ${formatFigure(median(present))} ml`;
    return summaries.flatMap(({ label }, i) => {
      if (odd[i] === 0) return [];
      const what = `label ${value} (${name}) takes ${formatFigure(volumes[i])} ml, ${usual}`;
      return problem('warning', label, `${what}. Check that it is whole, and that nothing else has this label.`, {
        several: 'have a label whose volume is far from that in the median case',
        fix: 'Check that it is whole there, and that nothing else has this label.',
        what,
        distance: odd[i],
      });
    });
  });
}

function checkDuplicates(summaries: readonly CaseSummary[]): readonly CaseProblem[] {
  const first = new Map<string, CaseSummary>();
  const fix = 'copies in two folds flatter the Dice.';
  return summaries.flatMap((summary) => {
    const { image, voxelsSha256 } = summary;
    const other = first.get(voxelsSha256);
    if (other === undefined) {
      first.set(voxelsSha256, summary);
      return [];
    }
    return problem('warning', image, `it has the same voxels as ${other.image}. Remove one: ${fix}`, {
      several: 'have the same voxels as another',
      fix: `Remove them: ${fix}`,
      what: `as ${other.name}`,
      distance: 0,
    });
  });
}

function checkPatients(
  folder: string,
  names: readonly string[],
  tests: readonly (readonly string[])[],
): readonly CaseProblem[] {
  const foldOf = new Map(tests.flatMap((test, fold) => test.map((name) => [name, fold])));
  const split = scansOfPatients(names).filter((scans) => new Set(scans.map((name) => foldOf.get(name))).size > 1);
  if (split.length === 0) return [];
  const others = split.length === 1 ? '' : `, and those of ${split.length - 1} more patients`;
  const what = `by their names ${split[0].join(' and ')} are of one patient${others}, but lie in different folds`;
  const fix = 'If they are, keep one scan of each patient: a Dice on patients who were trained on is flattered.';
  return [problem('warning', folder, `${what} (names that agree up to the last _ or -). ${fix}`)];
}
