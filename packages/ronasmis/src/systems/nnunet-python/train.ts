import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../base/errors.ts';
import { summariseDice } from '../../evaluation/summary.ts';
import { openHeartbeat } from '../../run/heartbeat.ts';
import { lockFolder } from '../../run/lock.ts';
import type { Progress } from '../../run/progress.ts';
import type { SearchReport } from '../../run/report.ts';
import { createRunFolder, writeRecord } from '../../run/run-folder.ts';
import type { SearchHooks } from '../../search/watching.ts';
import type { SystemOptions } from '../system.ts';
import { plannedNetwork } from './architecture.ts';
import { modelFolder, nnunetFolders, rawName } from './folders.ts';
import { prepareData, settingsOf } from './prepare.ts';
import { type Job, runDriver } from './process.ts';
import { findNnunet, type NnunetPython } from './python.ts';
import { type NnunetRecord, readNnunetRun, trainingName } from './record.ts';
import { scoreTestCases } from './score.ts';
import { plannedBytes, watchDriver } from './watch.ts';

/**
 * Has nnU-Net plan, train and segment the test cases within a budget, or go on from its last checkpoint.
 * @throws UserError for what is wrong with the Python, the data set, the options or the run folder, and where nnU-Net fails
 */
export async function train(options: SystemOptions, hooks: SearchHooks): Promise<void> {
  const startedAt = performance.now();
  const { out } = options;
  if (options.device === 'mps')
    throw new UserError(
      '--device mps: nnU-Net is compared on a CPU or an NVIDIA GPU. Give --device cpu or --device cuda.',
    );
  const python = await findNnunet(options.python);
  if (!existsSync(nnunetFolders(out).root)) await createRunFolder(out);
  const release = await lockFolder(out);
  const heartbeat = openHeartbeat(out);
  try {
    const onProgress = (progress: Progress): void => {
      heartbeat.beat(progress);
      hooks.onProgress?.(progress);
    };
    await trainLocked(options, python, { ...hooks, onProgress }, startedAt);
  } finally {
    await heartbeat.stop();
    await release();
  }
}

async function trainLocked(options: SystemOptions, python: NnunetPython, hooks: SearchHooks, startedAt: number) {
  const { out } = options;
  const { begun, report: finished } = await readNnunetRun(out);
  if (finished !== undefined) return;
  if (begun) requireSameRun(begun.record, options);
  const onCase = (done: number, total: number): void => {
    hooks.onProgress?.({ phase: 'prepare', step: 0, done, total });
    hooks.signal?.throwIfAborted();
  };
  const { record, warnings } = begun
    ? { record: begun.record, warnings: [] }
    : await prepareData(options, python, onCase);
  const before = begun?.state.seconds ?? 0;
  const seconds = (): number => before + (performance.now() - startedAt) / 1000;
  const watched = watchDriver({ options, python, warnings, seconds }, hooks);
  const job = { ...jobOf(options, record), seconds_used: seconds() };
  await runDriver(python, out, job, { signal: hooks.signal, onLine: watched.onLine });
  const testDice = await scoreTestCases(out, record);
  const { training, report } = watched.figures();
  await writeRecord(nnunetFolders(out).root, trainingName, training);
  await writeRecord(out, 'architecture.json', await plannedNetwork(modelFolder(out)));
  const whole: SearchReport = {
    // nnU-Net chooses nothing by cases that it has not learnt from.
    validation_dice: summariseDice({}),
    test_dice: testDice,
    seconds: seconds(),
    evaluation_seconds: training.prediction_seconds,
    ...report,
  };
  // The last file of a run: one that has it is finished.
  await writeRecord(out, 'report.json', whole);
}

/** More time, or less, may be given to a run that goes on. @throws UserError where a run folder is of another run */
function requireSameRun({ settings }: NnunetRecord, options: SystemOptions): void {
  const now = settingsOf(options);
  const keys = ['data_set', 'label_folder', 'folds', 'fold', 'seed'] as const;
  const other = keys.find((key) => settings[key] !== now[key]);
  if (other === undefined) return;
  throw new UserError(
    `${options.out} holds a run with another ${other.replace('_', ' ')} (${settings[other]}, not ${now[other]}): give the same, or another folder.`,
  );
}

function jobOf(
  { out, device, memoryBytes, timeSeconds, epochs }: SystemOptions,
  { settings, example, test }: NnunetRecord,
): Job {
  const folders = nnunetFolders(out);
  return {
    task: 'train',
    data_set: rawName,
    model: modelFolder(out),
    device: device === 'cuda' || device === 'cpu' ? device : 'auto',
    seed: settings.seed,
    time_seconds: timeSeconds ?? null,
    epochs: epochs ?? null,
    memory_gb: memoryBytes !== undefined && memoryBytes < plannedBytes ? memoryBytes / 2 ** 30 : null,
    example,
    cases: test.map((one) => ({ ...one, out: join(folders.predictions, one.name) })),
    state: folders.state,
    weights: join(out, 'model.safetensors'),
  };
}
