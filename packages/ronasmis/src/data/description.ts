import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';

/** A value in the label maps and what it means. */
export interface Label {
  readonly value: number;
  readonly name: string;
}

/** What `dataset.json` says. */
export interface Description {
  readonly name?: string | undefined;
  /** What each channel of an image shows, in their order. */
  readonly channels: readonly string[];
  /** By increasing value, background (0) first. */
  readonly labels: readonly Label[];
  readonly training?: readonly { readonly image: string; readonly label: string }[] | undefined;
}

const descriptionSchema = z.looseObject({
  name: z.string().optional(),
  modality: z.record(z.string(), z.string()).optional(),
  channel_names: z.record(z.string(), z.string()).optional(),
  file_ending: z.string().optional(),
  labels: z
    .record(z.string(), z.union([z.string(), z.int().min(0), z.array(z.int().min(0))]))
    .refine(
      (labels) => Object.entries(labels).every(([key, value]) => typeof value !== 'string' || /^\d+$/.test(key)),
      {
        message:
          'labels are listed as {"0": "background", "1": "liver"}, with whole numbers as keys, or as {"background": 0, "liver": 1}, with numbers as values',
      },
    ),
  training: z.array(z.object({ image: z.string(), label: z.string() })).optional(),
});

/** More classes than this do not fit the uint8 label maps of prepared cases. */
export const MAX_LABELS = 256;

/**
 * Reads the `dataset.json` of a folder, as the Medical Segmentation Decathlon or nnU-Net v2 writes it.
 * @throws UserError for what is missing or wrong in it
 */
export async function readDescription(folder: string): Promise<Description> {
  const file = join(folder, 'dataset.json');
  const { name, modality, channel_names, file_ending, labels, training } = await readJson(folder, file);
  if (file_ending !== undefined && file_ending !== '.nii.gz' && file_ending !== '.nii') {
    throw new UserError(`${file}: "file_ending" is ${file_ending}. Convert the files to .nii.gz, and say so there.`);
  }
  const channels = Object.entries(channel_names ?? modality ?? { 0: 'image' })
    .sort(([left], [right]) => Number(left) - Number(right))
    .map(([, channel]) => channel);
  return { name, channels, labels: readLabels(file, labels), training };
}

async function readJson(folder: string, file: string): Promise<z.infer<typeof descriptionSchema>> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new UserError(`${folder}: there is no such folder. Give the folder that holds dataset.json.`);
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UserError(
      `${folder}: it holds no readable dataset.json. Give a folder in the layout of the Medical Segmentation Decathlon ` +
        'or of nnU-Net (dataset.json, imagesTr, labelsTr), or one of images alone and --labels for their label maps.',
    );
  });
  const parsed = descriptionSchema.safeParse(parseJson(file, text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(`${file}: at ${issue.path.join('.') || 'the top'}: ${issue.message}. Correct it there.`);
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`${file}: this is not valid JSON (${reason}). Correct it there.`);
  }
}

type ListedLabels = z.infer<typeof descriptionSchema>['labels'];

function readLabels(file: string, listed: ListedLabels): readonly Label[] {
  const labels = Object.entries(listed)
    .map(([key, value]) => readLabel(file, key, value))
    .sort((left, right) => left.value - right.value);
  const twice = labels.find(({ value }, i) => i > 0 && labels[i - 1].value === value);
  if (twice)
    throw new UserError(`${file}: "labels" lists the value ${twice.value} more than once. Keep one name for it.`);
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

/** The Decathlon lists `"1": "liver"`, nnU-Net `"liver": 1`. */
function readLabel(file: string, key: string, value: ListedLabels[string]): Label {
  if (typeof value === 'string') return { value: Number(key), name: value };
  if (typeof value !== 'number') {
    throw new UserError(
      `${file}: the label "${key}" is a region of the values ${value.join(', ')}. Regions are not supported: list a label for each value.`,
    );
  }
  if (key === 'ignore') {
    throw new UserError(
      `${file}: "labels" lists an ignore label. It is not supported: correct the label maps, and remove it there.`,
    );
  }
  return { value, name: key };
}
