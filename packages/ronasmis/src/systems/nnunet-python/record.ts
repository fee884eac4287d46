import { createHash } from 'node:crypto';
import { z } from 'zod';
import { tripleSchema } from '../../base/geometry.ts';
import { labelSchema } from '../../data/description.ts';
import { diceSummarySchema } from '../../evaluation/summary.ts';
import { readRecord } from '../../run/read-run.ts';
import { nnunetFolders } from './folders.ts';

const testCaseSchema = z.object({
  name: z.string(),
  images: z.array(z.string()).readonly(),
  label: z.string(),
  /** As nnU-Net gets it, one a channel. */
  files: z.array(z.string()).readonly(),
  shape: tripleSchema,
  spacing: tripleSchema,
});
/** A case of the test set. */
export type TestCase = z.infer<typeof testCaseSchema>;

const settingsSchema = z.object({
  data_set: z.string(),
  label_folder: z.string().optional(),
  time_seconds: z.number().nullable(),
  epochs: z.int().nullable(),
  memory_bytes: z.number().optional(),
  folds: z.int(),
  fold: z.int(),
  seed: z.int(),
});

/** `nnunet/run.json`: what was trained, by what, and on what; it is written once nnU-Net has its files. */
export const recordSchema = z.object({
  version: z.string(),
  created: z.string(),
  settings: settingsSchema,
  nnunetv2: z.string(),
  torch: z.string(),
  channels: z.array(z.string()).readonly(),
  channel_files: z.boolean(),
  labels: z.array(labelSchema).readonly(),
  regions: z.array(z.object({ name: z.string(), values: z.array(z.int()).readonly() })).readonly(),
  ignored_value: z.int().optional(),
  /** Names of the cases that nnU-Net learns from. */
  training: z.array(z.string()).readonly(),
  example: z.object({ files: z.array(z.string()).readonly(), shape: tripleSchema }),
  test: z.array(testCaseSchema).readonly(),
  fingerprint_sha256: z.string(),
});
export type NnunetRecord = z.infer<typeof recordSchema>;

/** `nnunet/result.json`: what came of it; a run that has it is finished. */
export const resultSchema = z.object({
  /** On the scans' own grids. */
  test_dice: diceSummarySchema,
  seconds: z.number(),
  device: z.enum(['cpu', 'cuda']),
  peak_memory_bytes: z.number(),
  parameters: z.int(),
  iterations: z.int(),
  iterations_per_epoch: z.int(),
  epochs: z.int(),
  /** Mean of a training step. */
  step_seconds: z.number(),
  /** Of nnU-Net's fingerprint, plan and preprocessing, and of the segmentation of the test cases. */
  preparation_seconds: z.number(),
  prediction_seconds: z.number(),
});
export type NnunetResult = z.infer<typeof resultSchema>;

/** What the Python program keeps. */
const stateSchema = z.looseObject({ phase: z.enum(['prepared', 'trained']), seconds: z.number() });

export const recordName = 'run.json';
export const resultName = 'result.json';

/**
 * The records of a run: what nnU-Net was given and how far it is, once it has prepared that, and what came of it in the end.
 * @throws UserError where one is damaged
 */
export async function readNnunetRun(run: string) {
  const { root } = nnunetFolders(run);
  const record = await readRecord(root, recordName, recordSchema);
  const state = await readRecord(root, 'state.json', stateSchema);
  const result = await readRecord(root, resultName, resultSchema);
  return { begun: record && state && { record, state }, result };
}

/** By what label maps of this run are known again, as those of other runs are by `runKey`. */
export function nnunetKey({ created, settings, fingerprint_sha256 }: NnunetRecord): string {
  const identity = JSON.stringify([created, settings.seed, 'nnunet-python', settings.fold, fingerprint_sha256]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 16);
}
