import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../../base/errors.ts';
import { summariseDice } from '../../evaluation/summary.ts';
import { writeReport } from '../../report/page.ts';
import { openHeartbeat } from '../../run/heartbeat.ts';
import { lockFolder } from '../../run/lock.ts';
import type { Progress } from '../../run/progress.ts';
import { readRun } from '../../run/read-run.ts';
import type { SearchReport } from '../../run/report.ts';
import { appendEvent, createRunFolder, keepEventsUntil, writeRecord } from '../../run/run-folder.ts';
import type { RunRecord } from '../../run/run-record.ts';
import type { SearchHooks } from '../../search/watching.ts';
import type { SystemOptions } from '../system.ts';
import { modelFolder, nnunetFolders, rawName } from './folders.ts';
import type { DriverLine } from './lines.ts';
import { readPlan } from './plan.ts';
import { type Prepared, prepareData } from './prepare.ts';
import { type Job, runDriver } from './process.ts';
import { findNnunet, type NnunetPython } from './python.ts';
import { type NnunetGiven, readNnunetRun, trainingName } from './record.ts';
import { runJson } from './run-json.ts';
import { engineOf, eventOf, plannedBytes, watchDriver } from './watch.ts';

/**
 * Has nnU-Net plan and train within a budget, or go on from its last checkpoint, and segment the test cases behind it.
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
  const { begun, finished } = await readNnunetRun(out);
  if (finished !== undefined) return;
  if (begun) {
    requireSameRun(begun.run, options);
    await keepEventsUntil(out, begun.state.epoch);
  }
  const onCase = (done: number, total: number): void => {
    hooks.onProgress?.({ phase: 'prepare', step: 0, done, total });
    hooks.signal?.throwIfAborted();
  };
  const prepared = begun ? undefined : await prepareData(options, python, onCase);
  const before = begun?.state.seconds ?? 0;
  const seconds = (): number => before + (performance.now() - startedAt) / 1000;
  const watched = watchDriver({ options, python, warnings: prepared?.warnings ?? [], seconds }, hooks);
  const job = { ...jobOf(options, prepared?.given ?? begun?.given), seconds_used: seconds() };
  const note = prepared === undefined ? noteEpochs(out) : noteAll(options, python, prepared);
  const onLine = async (line: DriverLine): Promise<void> => {
    watched.onLine(line);
    await note(line);
  };
  await runDriver(python, out, job, { signal: hooks.signal, onLine });
  await conclude(out, watched.figures());
}

/** Keeps what the Python program tells of its epochs. */
const noteEpochs =
  (out: string) =>
  async (line: DriverLine): Promise<void> => {
    const event = line.event === 'epoch' ? eventOf(line) : undefined;
    if (event !== undefined) await appendEvent(out, event);
  };

/** The same of a new run, which is described as soon as nnU-Net has planned. */
function noteAll(options: SystemOptions, python: NnunetPython, prepared: Prepared) {
  const { out } = options;
  const noteEpoch = noteEpochs(out);
  let engine: RunRecord['engine'] | undefined;
  return async (line: DriverLine): Promise<void> => {
    if (line.event === 'started') engine = engineOf(line, python);
    if (line.event === 'prepared' && engine !== undefined) {
      const plan = await readPlan(nnunetFolders(out).plans);
      await writeRecord(out, 'run.json', runJson({ ...prepared, options, plan, engine }));
    }
    await noteEpoch(line);
  };
}

/** Writes what a finished run has; what nnU-Net says of the test cases is scored by the comparison. */
async function conclude(out: string, { training, report }: ReturnType<ReturnType<typeof watchDriver>['figures']>) {
  const { begun } = await readNnunetRun(out);
  if (begun === undefined) throw new Error('nnU-Net has ended before its run was described.');
  const { run } = begun;
  const { only_child: architecture } = run.settings;
  if (architecture === undefined) throw new Error(`${out} has no network in its run.json.`);
  // nnU-Net chooses nothing by cases that it has not learnt from.
  const whole: SearchReport = { validation_dice: summariseDice({}), test_dice: summariseDice({}), ...report };
  await writeRecord(nnunetFolders(out).root, trainingName, training);
  await writeRecord(out, 'architecture.json', architecture);
  const { events } = await readRun(out);
  await writeReport({ folder: out, run, architecture, report: whole, events, examples: [] });
  // The last file of a run: one that has it is finished.
  await writeRecord(out, 'report.json', whole);
  // Of every run as much as the data set; the trained model and what it says of the test cases stay.
  const { raw, preprocessed, testImages } = nnunetFolders(out);
  for (const folder of [raw, preprocessed, testImages]) await rm(folder, { recursive: true, force: true });
}

/** More time, or less, may be given to a run that goes on. @throws UserError where a run folder is of another run */
function requireSameRun({ settings }: RunRecord, options: SystemOptions): void {
  const { dataSet, labelFolder, folds, fold, seed } = options;
  const now = {
    data_set: resolve(dataSet),
    label_folder: labelFolder === undefined ? undefined : resolve(labelFolder),
    folds,
    fold,
    seed,
  };
  const keys = ['data_set', 'label_folder', 'folds', 'fold', 'seed'] as const;
  const other = keys.find((key) => settings[key] !== now[key]);
  if (other === undefined) return;
  throw new UserError(
    `${options.out} holds a run with another ${other.replace('_', ' ')} (${settings[other]}, not ${now[other]}): give the same, or another folder.`,
  );
}

function jobOf({ out, device, memoryBytes, timeSeconds, epochs, seed }: SystemOptions, given?: NnunetGiven): Job {
  const folders = nnunetFolders(out);
  return {
    task: 'train',
    data_set: rawName,
    model: modelFolder(out),
    device: device === 'cuda' || device === 'cpu' ? device : 'auto',
    seed,
    time_seconds: timeSeconds ?? null,
    epochs: epochs ?? null,
    memory_gb: memoryBytes !== undefined && memoryBytes < plannedBytes ? memoryBytes / 2 ** 30 : null,
    cases: (given?.test ?? []).map(({ name, files }) => ({ name, files, out: join(folders.predictions, name) })),
    state: folders.state,
    weights: join(out, 'model.safetensors'),
  };
}
