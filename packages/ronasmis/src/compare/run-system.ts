import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { emptyCache, resetPeakMemoryBytes } from '@ronasmis/libtorch';
import { mapConcurrently } from '../base/concurrency.ts';
import type { Case } from '../data/case.ts';
import type { Labelling } from '../data/description.ts';
import type { ComputeDevice, Precision } from '../engine/device.ts';
import { evaluatePairs } from '../evaluation/evaluate.ts';
import { predict } from '../inference/predict.ts';
import type { ScoredRun } from '../run/compare-record.ts';
import { readRun } from '../run/read-run.ts';
import type { SearchHooks } from '../search/search.ts';
import type { System, SystemOptions } from '../systems/system.ts';
import { labelMapIn, labelMapsOf } from './label-maps.ts';
import type { PlannedSystemRun } from './plan.ts';
import { enterTest } from './tested-run.ts';

/** How far off a surface may be to count as right in NSD, in millimetres. */
export const toleranceMillimetres = 1;

/** What a system computes on in a comparison: `auto` has been decided. */
export type ComparedOptions = SystemOptions & { readonly device: ComputeDevice; readonly precision: Precision };

/**
 * A run of a comparison, from its beginning or from where it was stopped: the system is trained, segments the test cases from their files, and
 * its label maps are scored.
 * @param train trains the system
 */
export async function runSystem(
  { system, fold, seed, test }: PlannedSystemRun,
  options: ComparedOptions,
  labelling: Labelling,
  hooks: SearchHooks,
  train: () => Promise<void>,
): Promise<ScoredRun> {
  const { out, from } = options;
  emptyCache(options.device);
  const isPeakOwn = resetPeakMemoryBytes(options.device);
  await train();
  const files = await readRun(out);
  const { report } = files;
  if (report === undefined) throw new Error(`${system.name} has left no report in ${out}.`);
  const since = performance.now();
  const { predictions, seconds = (performance.now() - since) / 1000 } = await segmentCases(
    system,
    test,
    options,
    hooks,
  );
  hooks.signal?.throwIfAborted();
  const pairs = test.map(({ name, label }, i) => ({ name, prediction: predictions[i], reference: label }));
  const { labels, ...scored } = labelling;
  const { cases, dice, warnings } = await evaluatePairs(pairs, { toleranceMillimetres, ...scored });
  await enterTest(files, { test, labels, dice });
  for (const sentence of warnings) hooks.onWarning?.(sentence);
  return {
    state: 'finished',
    system: system.name,
    fold,
    seed,
    ...(from !== undefined && { from }),
    training_seconds: report.seconds,
    prediction_seconds: seconds,
    peak_memory_bytes: isPeakOwn && report.peak_memory_bytes > 0 ? report.peak_memory_bytes : null,
    parameters: report.parameters,
    cases: Object.fromEntries(Object.entries(cases).map(([name, classes]) => [name, { ...classes }])),
  };
}

/** Segments test cases with what a run has left. @returns the file of each one's label map, and what it took where that was not done now */
async function segmentCases(
  system: System,
  cases: readonly Case[],
  { out: run, ...options }: ComparedOptions,
  hooks: SearchHooks,
): Promise<{ readonly predictions: readonly string[]; readonly seconds?: number }> {
  const out = labelMapsOf(run);
  const { memoryBytes, device, precision, python } = options;
  const how = { ...(memoryBytes !== undefined && { memoryBytes }), device, precision };
  let seconds: number | undefined;
  if (system.segment === undefined) {
    const inputs = cases.flatMap(({ images }) => images);
    const { signal, onProgress, onWarning } = hooks;
    const predictions = await predict(
      { run, inputs, out, ...how },
      { ...(signal && { signal }), ...(onProgress && { onProgress }), ...(onWarning && { onWarning }) },
    );
    const outputs = new Map(predictions.map(({ input, output }) => [input, output]));
    // A single scan may be called by its file, and a case by the folder that it lies in.
    await mapConcurrently(cases, ({ name, images: [image] }) =>
      rename(requireWritten(system, name, outputs.get(image)), labelMapIn(run, name)),
    );
  } else {
    await mkdir(out, { recursive: true });
    const scans = cases.map(({ images: [image] }) => image);
    seconds = await system.segment(run, scans, out, { ...how, ...(python !== undefined && { python }) });
  }
  const predictions = cases.map(({ name }) => {
    const file = labelMapIn(run, name);
    return requireWritten(system, name, existsSync(file) ? file : undefined);
  });
  return { predictions, ...(seconds !== undefined && { seconds }) };
}

function requireWritten({ name: system }: System, name: string, file: string | undefined): string {
  if (file === undefined) throw new Error(`${system} has written no label map of ${name}.`);
  return file;
}
