import { createHash } from 'node:crypto';
import { z } from 'zod';
import { tripleSchema } from '../../base/geometry.ts';
import { labelSchema } from '../../data/description.ts';
import { fingerprintSchema } from '../../data/fingerprint.ts';
import { readRecord } from '../../run/read-run.ts';
import { reportSchema } from '../../run/report.ts';
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
  fingerprint: fingerprintSchema,
});
export type NnunetRecord = z.infer<typeof recordSchema>;

/** `nnunet/training.json`: figures of nnU-Net's training beside those of `report.json`. */
export const trainingSchema = z.object({
  device: z.enum(['cpu', 'cuda']),
  iterations: z.int(),
  iterations_per_epoch: z.int(),
  epochs: z.int(),
  /** Mean of a training step. */
  step_seconds: z.number(),
  /** From the run's start until fingerprint, plan and preprocessed cases were there. */
  preparation_seconds: z.number(),
  /** Of the segmentation of all test cases, and what was kept for that of a budget of time; null where nothing was trained any more. */
  prediction_seconds: z.number(),
  reserved_seconds: z.number().nullable(),
});
export type NnunetTraining = z.infer<typeof trainingSchema>;

/** What the Python program keeps. */
const stateSchema = z.looseObject({ phase: z.enum(['prepared', 'trained']), seconds: z.number() });

export const recordName = 'run.json';
export const trainingName = 'training.json';

/**
 * The records of a run: what nnU-Net was given and how far it is, once it has prepared that, and the report of a finished run.
 * @throws UserError where one is damaged
 */
export async function readNnunetRun(run: string) {
  const { root } = nnunetFolders(run);
  const record = await readRecord(root, recordName, recordSchema);
  const state = await readRecord(root, 'state.json', stateSchema);
  const report = await readRecord(run, 'report.json', reportSchema);
  return { begun: record && state && { record, state }, report };
}

/** By what label maps of this run are known again, as those of other runs are by `runKey`. */
export function nnunetKey({ created, settings, fingerprint }: NnunetRecord): string {
  const identity = JSON.stringify([created, settings.seed, 'nnunet-python', settings.fold, fingerprint.sha256]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 16);
}
