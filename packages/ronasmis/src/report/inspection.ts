import { voxelsOf } from '../base/geometry.ts';
import { type LoadedCase, loadCase, turnCase } from '../data/case.ts';
import type { CheckResult } from '../data/check.ts';
import type { DataSet } from '../data/dataset.ts';
import type { CaseSummary } from '../data/fingerprint.ts';
import { filesOf } from '../data/problems.ts';

import { type InspectionExample, renderInspection } from './inspection-page.ts';
import { chooseSlices, type Slice } from './slices.ts';

/** So many cases with a warning are shown, beside the smallest, the median and the largest. */
const MAX_ODD_CASES = 3;
/** Slices are downsampled out to at most so many pixels a side: pages with slices in full would be heavy. */
const MAX_PIXELS = 256;

/** The page of a data set that was checked; the cases that it shows are read once more. */
export async function inspectionPage(dataSet: DataSet, result: CheckResult): Promise<string> {
  const { fingerprint, problems, summaries } = result;
  const examples: InspectionExample[] = [];
  for (const { name, why } of pickCases(result)) {
    const entry = dataSet.cases.find((one) => one.name === name);
    const read = entry && (await loadCase(entry));
    if (read?.kind !== 'loaded') continue;
    const turned = fingerprint ? turnCase(read.loaded, fingerprint.orientation) : read.loaded;
    examples.push({ name, why, slice: middleSlice(turned, dataSet) });
  }
  return renderInspection({ name: dataSet.name, folder: dataSet.folder, problems, fingerprint, summaries, examples });
}

/** The smallest, the median and the largest case by voxels, then those with a warning; none twice. */
export function pickCases({ summaries, problems }: CheckResult): readonly { name: string; why: string }[] {
  const bySize = summaries.toSorted((left, right) => voxelsOf(left.shape) - voxelsOf(right.shape));
  const picks = new Map<string, string>();
  const pick = (summary: CaseSummary | undefined, why: string): void => {
    if (summary && !picks.has(summary.name)) picks.set(summary.name, why);
  };
  pick(bySize[0], 'Smallest');
  pick(bySize[Math.floor((bySize.length - 1) / 2)], 'Median size');
  pick(bySize.at(-1), 'Largest');
  const files = new Set(problems.flatMap(filesOf));
  const odd = summaries.filter(({ name, image, label }) => !picks.has(name) && (files.has(image) || files.has(label)));
  for (const summary of odd.slice(0, MAX_ODD_CASES)) pick(summary, 'With a warning');
  return [...picks].map(([name, why]) => ({ name, why }));
}

function middleSlice({ imageVolume, labelVolume }: LoadedCase, { labels }: DataSet): Slice {
  const classOf = new Map(labels.map(({ value }, index) => [value, index]));
  const { data } = labelVolume;
  const reference = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) reference[i] = classOf.get(data[i]) ?? 0;
  const slices = chooseSlices({
    image: Float32Array.from(imageVolume.data.subarray(0, data.length)),
    reference,
    shape: imageVolume.shape,
    spacing: imageVolume.spacing,
  });
  return thinOut(slices[Math.floor(slices.length / 2)]);
}

function thinOut(slice: Slice): Slice {
  const step = Math.ceil(Math.max(slice.height, slice.width) / MAX_PIXELS);
  const [height, width] = [Math.ceil(slice.height / step), Math.ceil(slice.width / step)];
  const from = (i: number): number => Math.floor(i / width) * step * slice.width + (i % width) * step;
  return {
    ...slice,
    height,
    width,
    image: new Float32Array(height * width).map((_, i) => slice.image[from(i)]),
    reference: new Uint8Array(height * width).map((_, i) => slice.reference[from(i)]),
  };
}
