import { join } from 'node:path';
import { z } from 'zod';
import { allErrors, UserError } from '../base/errors.ts';
import { isFolder } from '../base/files.ts';
import { parseJson } from '../base/json.ts';
import { readText } from '../base/text-file.ts';
import { SCAN_ENDINGS } from '../formats/formats.ts';
import { remarksOn } from './description-remarks.ts';
import type { Label } from './label.ts';

/** Labels that belong together, as nnU-Net's regions: what is scored in their place. */
export interface Region {
  readonly name: string;
  /** Of the labels that it is made of. */
  readonly values: readonly number[];
}

/** What the values in label maps mean. */
export interface Labelling {
  /** By increasing value, background (0) first. */
  readonly labels: readonly Label[];
  /** Where there are any, they are scored, and not the labels. */
  readonly regions: readonly Region[];
  /** Voxels of this value are neither learnt from nor scored. */
  readonly ignoredValue?: number;
}

/** A case as `dataset.json` lists it, by paths in its folder. */
export interface ListedCase {
  /** Where it is not to be found out by the files' names. */
  readonly name?: string;
  /** One file with all channels, or one a channel. */
  readonly images: readonly string[];
  readonly label: string;
}

/** What `dataset.json` says. */
export interface Description extends Labelling {
  readonly name?: string | undefined;
  /** What each channel of an image shows, in their order. */
  readonly channels: readonly string[];
  readonly listed?: readonly ListedCase[] | undefined;
  /** Of the files that belong to the data set, where the folders hold others too. */
  readonly fileEnding?: string | undefined;
  /** How many cases there are said to be. */
  readonly numTraining?: number | undefined;
  /** What there is to be said of the file itself, in sentences that do not name it. */
  readonly remarks: readonly string[];
}

/** Names end up in tables and messages, whose lines they must not break. */
const lineSchema = z.string().regex(/^\P{Cc}*$/u, 'line breaks and control characters have no place here');

/** Label maps are written as int32 at most. */
const LARGEST_LABEL = 2 ** 31 - 1;
const valueSchema = z.int().min(0).max(LARGEST_LABEL);

/** Whether a value may stand in a label map: a whole number from 0 on that an int32 holds. */
export const isLabelValue = (value: number): boolean => valueSchema.safeParse(value).success;

const listSchema = z.array(lineSchema).min(1);
const descriptionSchema = z.looseObject({
  name: lineSchema.optional(),
  modality: z.record(lineSchema, lineSchema).optional(),
  channel_names: z.record(lineSchema, lineSchema).optional(),
  file_ending: lineSchema.optional(),
  labels: z
    .record(lineSchema, z.union([lineSchema, valueSchema, z.array(valueSchema).min(1)]))
    .refine(
      (labels) => Object.entries(labels).every(([key, value]) => typeof value !== 'string' || /^\d+$/.test(key)),
      {
        message:
          'labels are listed as {"0": "background", "1": "liver"}, with whole numbers as keys, or as {"background": 0, "liver": 1}, with numbers as values',
      },
    ),
  training: z.array(z.looseObject({ image: z.union([lineSchema, listSchema]), label: lineSchema })).optional(),
  dataset: z
    .record(z.string(), z.looseObject({ images: listSchema, label: lineSchema }))
    .refine((cases) => Object.keys(cases).every((name) => /^[^/\\\p{Cc}]+$/u.test(name)), {
      message: 'names of cases become those of files: they hold no / and no \\',
    })
    .optional(),
  numTraining: z
    .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
    .optional()
    .catch(undefined),
});

/** What voxels that are ignored are in the uint8 label maps of prepared cases. */
export const IGNORED_CLASS = 255;

/** More classes than this do not fit beside it. */
export const MAX_LABELS = IGNORED_CLASS;

/**
 * Reads the `dataset.json` of a folder, as the Medical Segmentation Decathlon or nnU-Net v2 writes it.
 * @throws UserError for what is missing or wrong in it
 */
export async function readDescription(folder: string): Promise<Description> {
  const file = join(folder, 'dataset.json');
  const json = await readJson(folder, file);
  const { name, modality, channel_names, file_ending, labels, training, dataset, numTraining } = json;
  if (file_ending !== undefined && !SCAN_ENDINGS.includes(file_ending.toLowerCase())) {
    const endings = SCAN_ENDINGS.join(', ');
    throw new UserError(
      `${file}: "file_ending" is ${file_ending}, not one of ${endings}. Convert the files, and say so there.`,
    );
  }
  const channels = Object.entries(channel_names ?? modality ?? { 0: 'image' })
    .sort(([left], [right]) => Number(left) - Number(right))
    .map(([, channel]) => channel);
  const listed = dataset
    ? Object.entries(dataset).map(([name, { images, label }]) => ({ name, images, label }))
    : training?.map(({ image, label }) => ({ images: [image].flat(), label }));
  const remarks = remarksOn(json, channels, Object.keys(descriptionSchema.shape));
  return { name, channels, ...readLabelling(file, labels), listed, fileEnding: file_ending, numTraining, remarks };
}

async function readJson(folder: string, file: string): Promise<z.infer<typeof descriptionSchema>> {
  if (!(await isFolder(folder)))
    throw new UserError(`${folder}: there is no such folder. Give the folder that holds dataset.json.`);
  const text = await readText(file).catch(() => {
    throw new UserError(
      `${folder}: it holds no readable dataset.json. Give a folder in the layout of the Medical Segmentation Decathlon ` +
        'or of nnU-Net (dataset.json, imagesTr, labelsTr), or one of images alone and --labels for their label maps.',
    );
  });
  return parseJson(text, descriptionSchema, (problems) =>
    allErrors(problems.map((what) => `${file}: ${what}. Correct it there.`)),
  );
}

type ListedLabels = z.infer<typeof descriptionSchema>['labels'];

function readLabelling(file: string, listed: ListedLabels): Labelling {
  const { ignore, ...meant } = listed;
  if (typeof ignore === 'object')
    throw new UserError(`${file}: "labels" lists ${ignore.length} values to ignore. Keep one.`);
  // In the Decathlon's layout the keys are values, so "ignore" as a key is nnU-Net's.
  const ignoredValue = typeof ignore === 'number' ? ignore : undefined;
  const regions = Object.entries(meant).flatMap(([name, value]) => {
    if (typeof value === 'string') return [];
    const values = typeof value === 'number' ? [value] : value;
    return values.length === 1 && values[0] === 0 ? [] : [{ name, values }];
  });
  const hasRegions = regions.some(({ values }) => values.length !== 1);
  const labels = hasRegions ? labelsOfRegions(regions) : Object.entries(meant).map(toLabel);
  return {
    labels: checkedLabels(file, labels, ignoredValue),
    regions: hasRegions ? regions : [],
    ...(ignoredValue !== undefined && { ignoredValue }),
  };
}

/** The Decathlon lists `"1": "liver"`, nnU-Net `"liver": 1`, or `"liver": [1]`. */
function toLabel([key, value]: readonly [string, ListedLabels[string]]): Label {
  if (typeof value === 'string') return { value: Number(key), name: value };
  return { value: typeof value === 'number' ? value : value[0], name: key };
}

/** Every value that a region is made of, with the region's name where it is the only one in it. */
function labelsOfRegions(regions: readonly Region[]): readonly Label[] {
  const values = [...new Set([0, ...regions.flatMap((region) => region.values)])];
  return values.map((value) => {
    const own = regions.find((region) => region.values.length === 1 && region.values[0] === value);
    return { value, name: own?.name ?? (value === 0 ? 'background' : `label ${value}`) };
  });
}

function checkedLabels(file: string, unsorted: readonly Label[], ignoredValue: number | undefined): readonly Label[] {
  const labels = unsorted.toSorted((left, right) => left.value - right.value);
  const large = labels.find(({ value }) => value > LARGEST_LABEL);
  if (large)
    throw new UserError(`${file}: "labels" lists the value ${large.value}; ${LARGEST_LABEL} is the largest possible.`);
  const values = [...labels.map(({ value }) => value), ...(ignoredValue === undefined ? [] : [ignoredValue])];
  const twice = values.find((value, i) => values.indexOf(value) < i);
  if (twice !== undefined)
    throw new UserError(`${file}: "labels" lists the value ${twice} more than once. Keep one name for it.`);
  if (labels[0]?.value !== 0) {
    throw new UserError(`${file}: "labels" does not list 0. Add "0": "background".`);
  }
  if (labels.length < 2) {
    throw new UserError(`${file}: "labels" lists the background only. Add the labels to be segmented.`);
  }
  if (labels.length > MAX_LABELS) {
    throw new UserError(`${file}: "labels" lists ${labels.length} labels; at most ${MAX_LABELS} are possible.`);
  }
  return labels;
}
