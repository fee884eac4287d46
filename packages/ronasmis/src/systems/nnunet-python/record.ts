import { z } from 'zod';
import { readRecord } from '../../run/read-run.ts';
import { reportSchema } from '../../run/report.ts';
import { runSchema } from '../../run/run-record.ts';
import { nnunetFolders } from './folders.ts';

const testCaseSchema = z.object({
  name: z.string(),
  images: z.array(z.string()).readonly(),
  label: z.string(),
  /** As nnU-Net gets it, one a channel. */
  files: z.array(z.string()).readonly(),
});
/** A case of the test set. */
export type TestCase = z.infer<typeof testCaseSchema>;

/** `nnunet/given.json`: what nnU-Net was given beside what `run.json` says; it is written once nnU-Net has its files. */
export const givenSchema = z.object({
  nnunetv2: z.string(),
  torch: z.string(),
  ignored_value: z.int().optional(),
  /** Names of the cases that nnU-Net learns from. */
  training: z.array(z.string()).readonly(),
  test: z.array(testCaseSchema).readonly(),
});
export type NnunetGiven = z.infer<typeof givenSchema>;

/** `nnunet/training.json`: figures of nnU-Net's training beside those of `report.json`. */
export const trainingSchema = z.object({
  iterations: z.int(),
  iterations_per_epoch: z.int(),
  epochs: z.int(),
  /** Mean of a training step. */
  step_seconds: z.number(),
  /** From the run's start until fingerprint, plan and preprocessed cases were there. */
  preparation_seconds: z.number(),
  /** Of the segmentation of all test cases. */
  prediction_seconds: z.number(),
});
export type NnunetTraining = z.infer<typeof trainingSchema>;

/** What the Python program keeps: `epoch` of the last checkpoint. */
const stateSchema = z.looseObject({
  phase: z.enum(['prepared', 'trained']),
  seconds: z.number(),
  epoch: z.int().default(0),
});

export const givenName = 'given.json';
export const trainingName = 'training.json';

/**
 * The records of a run: what it is and how far it is, once nnU-Net has prepared its data, and those of a finished run.
 * @throws UserError where one is damaged
 */
export async function readNnunetRun(folder: string) {
  const { root } = nnunetFolders(folder);
  const run = await readRecord(folder, 'run.json', runSchema);
  const given = await readRecord(root, givenName, givenSchema);
  const state = await readRecord(root, 'state.json', stateSchema);
  const training = await readRecord(root, trainingName, trainingSchema);
  const report = await readRecord(folder, 'report.json', reportSchema);
  return {
    begun: run && given && state && { run, given, state },
    finished: training && report && { training, report },
  };
}
