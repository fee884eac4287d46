import { z } from 'zod';
import { architectureSchema } from '../architecture/architecture.ts';
import { levels, type NetworkDimensions, type ThickSlices } from '../architecture/dimensions.ts';
import { labelSchema } from '../data/label.ts';
import { normalisationSchema } from '../data/normalisation.ts';
import { isOrientation } from '../formats/orientation.ts';
import { augmentModes } from '../recipe/augment-mode.ts';
import { recipeSchema } from '../recipe/recipe.ts';

const runFields = z.object({
  /** Version of RONASMIS that made the run. */
  version: z.string(),
  /** ISO 8601 time at which the search was started. */
  created: z.string(),
  settings: z.object({
    /** What trained it, of what can be compared; plain searches and trainings, and run folders from before there were systems, do not say it. */
    system: z.string().optional(),
    data_set: z.string(),
    /** Where the label maps are, if `data_set` is a folder of images alone. */
    label_folder: z.string().optional(),
    time_seconds: z.number().nullable(),
    epochs: z.int().nullable(),
    children: z.int(),
    /** At the last controller step, if that is not `children`. */
    last_children: z.int().optional(),
    /** Bytes that the search may take, of the process or of a GPU; run folders from before there was a budget do not say it. */
    memory_bytes: z.number().optional(),
    /** One of ours by its name, or what someone else's calls itself. */
    controller: z.string(),
    space: z.string(),
    /** The one child that is trained, where it is neither searched nor the base child. */
    only_child: architectureSchema.optional(),
    /** Spent before the run on what it trains, and counted to its time. */
    earlier_seconds: z.number().optional(),
    /** Whether test cases were segmented after the time, by a comparison, not within it. */
    tests_afterwards: z.boolean().optional(),
    /** Run folders from before it could be left to the run say true or false. */
    augment: z.preprocess(
      (value) => (typeof value === 'boolean' ? (value ? 'on' : 'off') : value),
      z.enum(augmentModes),
    ),
    folds: z.int(),
    fold: z.int(),
    device: z.string(),
    precision: z.string(),
    seed: z.int(),
    /** Whether the system is a program of its own: then a comparison alone can go on with it. */
    own_program: z.boolean().optional(),
    /** The run whose weights it started from, by its absolute path and {@link runKey}; runs that started from none do not say it. */
    from: z.object({ run: z.string(), key: z.string() }).optional(),
  }),
  engine: z.object({
    libtorch: z.string(),
    device: z.enum(['cpu', 'cuda', 'mps']),
    precision: z.enum(['fp32', 'bf16', 'fp16']),
    threads: z.int(),
    cpu: z.string(),
  }),
  /** Every constant of the run; run folders from before there were recipes are taken to have the default one. */
  recipe: recipeSchema.prefault({}),
  /** Whether patches are augmented from the first step on, and the passes over the training cases by which a run decides that for itself. */
  augmentation: z.object({ from_start: z.boolean(), expected_passes: z.number() }).optional(),
  /** Whether controller `auto` chooses anything, and the controller epochs of the search by which it decided that. */
  exploring: z.object({ explores: z.boolean(), expected_steps: z.number() }).optional(),
  network: z.object({
    /** Channels of each level, the full resolution first. */
    channels: z.array(z.int().positive()).min(1).readonly(),
    input_channels: z.int().positive(),
    /** Number of classes, the background included. */
    classes: z.int().positive(),
    /** Levels, the full resolution first, whose kernels are 1x3x3; run folders from before there were any do not say it. */
    flat_levels: z.int().min(0).max(levels).default(0),
    /** The base child does not pool the depth before the levels up to this one; that of flat_levels where it is not said. */
    unpooled_levels: z.int().min(0).max(levels).optional(),
  }),
  /** The data set's labels by class index: `labels[0]` is the background. */
  labels: z.array(labelSchema).readonly(),
  /** Labels that are scored together, in place of the labels; none where these are. */
  regions: z
    .array(z.object({ name: z.string(), values: z.array(z.int()).readonly() }))
    .readonly()
    .default([]),
  /** Of each channel; run folders from before there was a choice do not say it, and z-score all. */
  normalisation: z.array(normalisationSchema).readonly().optional(),
  /** Whether every channel of a scan is in a file of its own, as nnU-Net has them; run folders from before that was possible do not say it. */
  channel_files: z.boolean().default(false),
  /** Where the axes x, y and z of the network's volumes point, such as 'RAS'; run folders from before scans were turned do not say it. */
  orientation: z.string().refine(isOrientation, 'three letters such as RAS are expected').optional(),
  /** Millimetres between voxels of the network's volumes, `[depth, height, width]`; run folders from before scans were resampled do not say it. */
  spacing: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]).readonly().optional(),
  fingerprint: z.record(z.string(), z.unknown()),
  /** Why the network, which another program has trained, can't be run here; it can where this is left out. */
  not_run_here: z.string().optional(),
  /** What was odd at its start, in sentences; older run folders do not say it. */
  warnings: z.array(z.string()).readonly().optional(),
  /** Where a race has decided what is done about thick slices: the training loss that each network came to. */
  race: z
    .array(z.object({ flat_levels: z.int(), loss: z.number() }))
    .readonly()
    .optional(),
  /** How many weights were as they had been in the run that it started from, how many were made to fit, and how many were drawn anew. */
  taken_over: z.object({ taken: z.int(), adapted: z.int(), drawn_anew: z.int() }).optional(),
});
/** `run.json`: everything that a search was told and what it ran on. */
export const runSchema = runFields
  .refine(({ labels, network }) => labels.length === network.classes, 'there is not one label for each class')
  .refine(
    ({ normalisation, network }) => normalisation === undefined || normalisation.length === network.input_channels,
    'there is not one normalisation for each channel',
  );
/** Everything that a search was told and what it ran on. */
export type RunRecord = z.infer<typeof runSchema>;

/** What of a run says how its network segments scans, and nothing of the data that it was trained on. */
export const segmentingSchema = runFields.pick({
  version: true,
  recipe: true,
  network: true,
  labels: true,
  normalisation: true,
  channel_files: true,
  orientation: true,
  spacing: true,
});
/** What of a run says how its network segments scans. */
export type SegmentingRecord = z.infer<typeof segmentingSchema>;

/** What proposes a search's children: of `auto`, what it has come to. */
export function proposerOf({ settings, exploring }: Pick<RunRecord, 'settings' | 'exploring'>): string {
  if (exploring === undefined) return settings.controller;
  return `${settings.controller} (${exploring.explores ? 'reinforce' : 'the base network alone'})`;
}

/** What a run does: a controller searches a space, gradients search the cells of a network, or one network is trained. */
export function kindOf({
  only_child,
}: Pick<RunRecord['settings'], 'only_child'>): 'search' | 'cell_search' | 'training' {
  if (only_child === undefined) return 'search';
  return only_child.kind === 'open_cells' ? 'cell_search' : 'training';
}

/** How one goes on with a run that has not finished, for a sentence. */
export const howToGoOn = ({ settings: { own_program } }: RunRecord, folder: string): string =>
  own_program === undefined ? `'ronasmis resume ${folder}'` : "the same 'ronasmis compare' again";

/** What fixes the shapes of a run's weights. */
export function dimensionsOf({ network }: Pick<RunRecord, 'network'>): NetworkDimensions {
  const { channels, input_channels: inputChannels, classes, flat_levels: flatLevels } = network;
  return { channels, inputChannels, classes, flatLevels };
}

/** What the networks of a run do about thick slices. */
export function thickSlicesOf({ flat_levels, unpooled_levels = flat_levels }: RunRecord['network']): ThickSlices {
  return { flatLevels: flat_levels, unpooledLevels: unpooled_levels };
}

/** The same as `run.json` keeps it. */
export function recordDimensions({
  channels,
  inputChannels,
  classes,
  flatLevels,
}: NetworkDimensions): RunRecord['network'] {
  return { channels, input_channels: inputChannels, classes, flat_levels: flatLevels };
}

/** What a run's Dice are told of, by their keys in a report: a label's name by its value, a region's by itself. */
export function classNamesOf({
  labels,
  regions,
}: Pick<RunRecord, 'labels' | 'regions'>): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ...labels.map(({ value, name }) => [String(value), name]),
    ...regions.map(({ name }) => [name, name]),
  ]);
}
