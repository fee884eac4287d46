import type { Labelling, Region } from '../../data/description.ts';

/** The parts of a data set that nnU-Net's `dataset.json` describes. */
export interface Described extends Labelling {
  readonly channels: readonly string[];
}

/**
 * nnU-Net v2's `dataset.json` of a data set whose label maps hold class indices, as nnU-Net wants labels without gaps; what is ignored is the
 * value behind the last class. Where a data set has regions, nnU-Net trains on these.
 * @param cases to learn from
 */
export function datasetJson({ channels, labels, regions, ignoredValue }: Described, cases: number) {
  const indices = new Map(labels.map(({ value }, index) => [value, index]));
  const ordered = regions.toSorted((one, other) => other.values.length - one.values.length);
  const inIndices = ordered.map(({ name, values }) => ({
    name,
    values: values.map((value) => indices.get(value) ?? 0),
  }));
  const foreground =
    regions.length > 0
      ? inIndices.map(({ name, values }, index): [string, readonly number[]] => [nameOf(index + 1, name), values])
      : labels.slice(1).map(({ name }, index): [string, number] => [nameOf(index + 1, name), index + 1]);
  return {
    channel_names: Object.fromEntries(channels.map((channel, index) => [String(index), channel])),
    labels: {
      background: 0,
      ...Object.fromEntries(foreground),
      ...(ignoredValue !== undefined && { ignore: labels.length }),
    },
    ...(regions.length > 0 && { regions_class_order: inIndices.map((_, index) => paintedBy(inIndices, index)) }),
    numTraining: cases,
    file_ending: '.nii.gz',
  };
}

/** Of no two labels the same, and neither `background` nor `ignore`, which mean something. */
const nameOf = (index: number, name: string): string => `${index} ${name}`;

/**
 * The class that a region's voxels become. nnU-Net paints one region over the other, the largest first (`regions_class_order`): each gets a class
 * that those after it do not have, or one of its own where they have all.
 */
function paintedBy(regions: readonly Region[], index: number): number {
  const later = new Set(regions.slice(index + 1).flatMap(({ values }) => values));
  const { values } = regions[index];
  return values.find((value) => !later.has(value)) ?? values[0];
}

/**
 * nnU-Net's `splits_final.json` of one fold. It trains on all cases that it is given: on those too by which other systems choose what they keep,
 * for it chooses nothing. The test cases are not among its files at all, and what it calls its validation case is one that it learns from.
 */
export function splits(cases: readonly string[], validation: string) {
  return [{ train: cases, val: [validation] }];
}
