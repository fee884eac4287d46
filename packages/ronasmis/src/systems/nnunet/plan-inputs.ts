import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { codeOf, reasonOf, UserError } from '../../base/errors.ts';
import { tripleSchema } from '../../base/geometry.ts';
import { parseJson } from '../../base/json.ts';
import { readText } from '../../base/text-file.ts';
import { plural } from '../../report/format.ts';
import { intensitiesSchema } from './plans.ts';

const sizesSchema = z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]).readonly();
const spacingSchema = tripleSchema.refine((spacing) => spacing.every((one) => one > 0), 'spacings are above 0');

/** nnU-Net's `dataset_fingerprint.json`. Axes are `[depth, height, width]`, in voxels and millimetres. */
const fingerprintSchema = z
  .object({
    shapes_after_crop: z.array(sizesSchema).min(1).readonly(),
    /** Of each case, as the shapes. */
    spacings: z.array(spacingSchema).min(1).readonly(),
    /** By the channel's number. */
    foreground_intensity_properties_per_channel: z.record(z.string().regex(/^\d+$/), intensitiesSchema).readonly(),
    /** Voxels that the crop to what is not zero leaves of an image. */
    median_relative_size_after_cropping: z.number().positive().max(1),
  })
  .readonly()
  .refine(({ shapes_after_crop: shapes, spacings }) => shapes.length === spacings.length, {
    message: 'there are not as many spacings as shapes',
  });
/** What nnU-Net knows of the scans of a data set. */
export type NnunetFingerprint = z.infer<typeof fingerprintSchema>;

/** What nnU-Net takes from `dataset.json`. */
export interface NnunetDataset {
  /** What nnU-Net calls it: its folder's name. */
  readonly name: string;
  readonly channels: readonly string[];
  /** The entries of "labels", by which nnU-Net reckons the logits: the background and what is ignored among them. */
  readonly classes: number;
  readonly cases: number;
  /** nnU-Net's class that reads the scans. */
  readonly reader: string;
}

/** What plans are made from. */
export interface PlanInputs {
  readonly fingerprint: NnunetFingerprint;
  readonly dataset: NnunetDataset;
}

const namesSchema = z.record(z.string(), z.string()).refine((names) => Object.keys(names).length > 0, 'it is empty');

const datasetSchema = z
  .object({
    channel_names: namesSchema.optional(),
    /** What nnU-Net's version 1 and the Decathlon call them. */
    modality: namesSchema.optional(),
    labels: z.record(z.string(), z.unknown()).refine((labels) => Object.keys(labels).length > 1, 'it lists no label'),
    numTraining: z.int().positive(),
    file_ending: z.string(),
    overwrite_image_reader_writer: z.string().optional(),
  })
  .refine(({ channel_names, modality }) => (channel_names ?? modality) !== undefined, 'channel_names is missing');

/** nnU-Net's readers, by the endings that the first of them to know an ending has (`determine_reader_writer_from_file_ending`). */
const readers: ReadonlyMap<string, string> = new Map(
  Object.entries({
    SimpleITKIO: ['.nii.gz', '.nrrd', '.mha', '.gipl'],
    NibabelIO: ['.nii'],
    NaturalImage2DIO: ['.png', '.bmp'],
    Tiff3DIO: ['.tif', '.tiff'],
  }).flatMap(([reader, endings]) => endings.map((ending) => [ending, reader] as const)),
);

/** nnU-Net's class that reads files of this ending; undefined where it reads none. */
export const readerOf = (ending: string): string | undefined => readers.get(ending.toLowerCase());

/**
 * Reads a `dataset_fingerprint.json` of nnU-Net's and the `dataset.json` beside its raw data.
 * @throws UserError where one is missing, damaged or of another form, or the two have other channels
 */
export async function readPlanInputs(fingerprintFile: string, datasetFile: string): Promise<PlanInputs> {
  const fingerprint = await readInput(fingerprintFile, '--fingerprint', fingerprintSchema);
  const json = await readInput(datasetFile, '--dataset-json', datasetSchema);
  const channels = Object.values(json.channel_names ?? json.modality ?? {});
  const measured = Object.keys(fingerprint.foreground_intensity_properties_per_channel).length;
  if (measured !== channels.length) {
    const counts = `the fingerprint has intensities of ${plural(measured, 'channel')}, ${datasetFile} names ${channels.length}`;
    throw new UserError(`${fingerprintFile}: ${counts}. Give the two files of one data set.`);
  }
  const { overwrite_image_reader_writer: named = 'None', file_ending } = json;
  const reader = named === 'None' ? readerOf(file_ending) : named;
  if (reader === undefined) {
    const endings = [...readers.keys()].join(', ');
    throw new UserError(`${datasetFile}: "file_ending" is ${file_ending}; nnU-Net reads ${endings}. Correct it there.`);
  }
  const name = basename(dirname(resolve(datasetFile)));
  const dataset = { name, channels, classes: Object.keys(json.labels).length, cases: json.numTraining, reader };
  return { fingerprint, dataset };
}

async function readInput<T>(file: string, option: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') throw new UserError(`${file}: there is no such file. Check ${option}.`);
    if (codeOf(error) === 'EISDIR')
      throw new UserError(`${file}: this is a folder. Give the path of a file by ${option}.`);
    throw new UserError(`${file} can't be read (${reasonOf(error)}): check its permissions.`);
  });
  return parseJson(text, schema, (reasons) => {
    const fix = `Give ${option} a file as nnU-Net has it, or plan from the data set's folder`;
    return new UserError(`${file} is not what nnU-Net writes (${reasons.join('; ')}). ${fix}.`);
  });
}
