import { describeEngine } from '@ronasmis/libtorch';
import { mapConcurrently } from '../base/concurrency.ts';
import { type Outcome, outcomeOf, reasonOf, some, sortOutcomes, UserError } from '../base/errors.ts';
import { mkdirWithParents } from '../base/files.ts';
import type { Triple } from '../base/geometry.ts';
import type { ScanFiles } from '../data/channels.ts';
import { beside } from '../data/check-case.ts';
import { checkVoxels } from '../data/check-voxels.ts';
import { clipWarnings } from '../data/outliers.ts';
import type { CaseProblem } from '../data/problem.ts';
import { oneLineAKind } from '../data/problems.ts';
import { readScan } from '../data/read-scan.ts';
import { chooseDevice, dataTypeOf } from '../engine/device.ts';
import { choosePrecision } from '../engine/precision.ts';
import { readSourceSeries } from '../formats/dicom-series.ts';
import { scanKey } from '../formats/nifti-mark.ts';
import { networkWeights } from '../network/weights.ts';
import { writeLabelMap, writeProbabilities, writeSegments } from '../preparation/label-map.ts';
import type { Progress } from '../run/progress.ts';
import { runKey } from '../run/run-key.ts';
import { type Model, openModel, readFinishedRun } from './model.ts';
import type { PredictOptions } from './options.ts';
import { findScans, outputsOf, requireSameScan, requireSeries, requireUnharmed } from './scans.ts';
import { type SegmentationOptions, segmentVolume } from './segment-volume.ts';

/** A scan that was segmented: its file, the first where it has several, and the file of its label map. */
export interface Prediction {
  readonly input: string;
  readonly output: string;
  /** `[depth, height, width]` of the tiles that the scan was passed in, at the network's spacing; null where it was passed as a whole. */
  readonly tile: Triple | null;
  /** From reading the scan to its label map on the disk, while others are read and written too. */
  readonly seconds: number;
}

/** What is said at the end where not all scans could be segmented: a sentence for each, in its message a line each. */
export class IncompletePrediction extends UserError {
  /** Of the other scans, whose label maps are written. */
  readonly predictions: readonly Prediction[];
  readonly problems: readonly string[];

  constructor(predictions: readonly Prediction[], problems: readonly string[]) {
    super(problems.join('\n'));
    this.predictions = predictions;
    this.problems = problems;
  }
}

/** How a prediction is watched and stopped. */
export interface PredictHooks {
  readonly signal?: AbortSignal;
  /** Told when each scan begins. */
  readonly onProgress?: (progress: Progress) => void;
  /** Told, in a sentence a kind, what is odd about scans, once all are segmented: that they went in tiles, or that intensities were clipped. */
  readonly onWarning?: (sentence: string) => void;
}

/**
 * Segments scans with a search's network, each whole volume in one pass where memory suffices, and writes label maps on the scans' own
 * grids with the label values of the data set that was trained on. A scan that cannot be segmented does not keep the others from it.
 *
 * @throws UserError, before anything is written, for a run that has not finished, scans that the format is not for, or an output folder where
 *   scans, label maps or files that others have made would be replaced; IncompletePrediction, once all others are segmented, for scans that cannot be read or do not fit the network
 */
export async function predict(options: PredictOptions, hooks: PredictHooks = {}): Promise<readonly Prediction[]> {
  const found = await readFinishedRun(options.run);
  const { run } = found;
  const named = (name: string): readonly string[] => outputsOf(options, name);
  const { scans, problems: unusable } = await findScans(options.inputs, run, named, hooks.onWarning);
  if (options.format === 'dicom-seg') await requireSeries(scans);
  await requireUnharmed(options, run, scans);
  if (scans.length > 0) await makeOutputFolder(options.out);
  const notes: CaseProblem[] = [];
  const read = await openReader(scans, notes);
  const network = await openNetwork(found, options);
  const outcomes: Outcome<Prediction>[] = [];
  let done = 0;
  // Scans are read ahead and label maps written behind, while the one between is segmented. What can't be written ends it all: the folder is at fault.
  const written = await outcomeOf(() =>
    mapConcurrently([...scans.entries()], async ([index, scan]) => {
      const begin = (): void => hooks.onProgress?.({ phase: 'final', step: 0, done, total: scans.length });
      outcomes[index] = await predictOne(scan, { ...network, options, read, notes, begin });
      done += 1;
      hooks.signal?.throwIfAborted();
    }),
  ).finally(() => {
    const said = oneLineAKind(notes, some(options.inputs), scans.length);
    for (const { message } of said) hooks.onWarning?.(message);
  });
  const { results, problems } = sortOutcomes(outcomes.filter((outcome) => outcome !== undefined));
  const all = [...unusable, ...problems, ...(written.kind === 'problem' ? [written.sentence] : [])];
  if (all.length > 0) throw new IncompletePrediction(results, all);
  return results;
}

async function makeOutputFolder(out: string): Promise<void> {
  await mkdirWithParents(out).catch((error: unknown) => {
    throw new UserError(`${out} cannot be made (${reasonOf(error)}): give another folder with --out.`);
  });
}

type Reader = (scan: ScanFiles) => ReturnType<typeof readScan>;

/** How scans are read. The first is read now, while libtorch is still being loaded by another thread; what is wrong with it is said in its turn. */
async function openReader(scans: readonly ScanFiles[], notes: CaseProblem[]): Promise<Reader> {
  const read: Reader = ({ files }) => readScan(files, (channel) => notes.push(beside(channel, 'channel files')));
  const ahead = new Map(scans.slice(0, 1).map((scan) => [scan, read(scan)]));
  await Promise.allSettled(ahead.values());
  return (scan) => {
    const reading = ahead.get(scan) ?? read(scan);
    ahead.delete(scan); // or its voxels would stay to the end
    return reading;
  };
}

/** The network of a run, and how it computes. */
async function openNetwork(
  found: Awaited<ReturnType<typeof readFinishedRun>>,
  {
    device: wantedDevice = 'auto',
    precision: wantedPrecision = 'auto',
    probabilities = false,
    memoryBytes,
  }: PredictOptions,
): Promise<{ readonly model: Model; readonly how: SegmentationOptions }> {
  const engine = describeEngine();
  const device = chooseDevice(wantedDevice, engine);
  const dataType = dataTypeOf[await choosePrecision(wantedPrecision, device, engine)];
  const loaded = await openModel(found, device);
  const model = { ...loaded, weights: networkWeights(loaded.network, loaded.weights, dataType) };
  return { model, how: { device, dataType, probabilities, memoryBytes } };
}

/** What one scan of several is segmented with. */
interface Work {
  readonly model: Model;
  readonly how: SegmentationOptions;
  readonly options: PredictOptions;
  readonly read: Reader;
  /** Warnings that were found, to which others are added. */
  readonly notes: CaseProblem[];
  /** Told when the scan is read. */
  readonly begin: () => void;
}

/** Reads and segments a scan, and writes its label map; what is wrong with the scan itself is a problem of it alone. */
async function predictOne(
  scanFiles: ScanFiles,
  { model, how, options, read, notes, begin }: Work,
): Promise<Outcome<Prediction>> {
  const { name, files } = scanFiles;
  const started = performance.now();
  const segmented = await outcomeOf(async () => {
    const { volume: scan, clips } = await read(scanFiles);
    // What is no number is an error of preparing it.
    const odd = checkVoxels(files[0], scan).filter(({ severity }) => severity === 'warning');
    const isZScored = (channel: number): boolean => model.run.normalisation?.[channel]?.kind !== 'data_set';
    notes.push(...clipWarnings(files[0], clips, isZScored), ...odd);
    begin();
    const maker = { run: runKey(model.run), scan: scanKey(scan) };
    if (!options.overwrite) await requireSameScan(outputsOf(options, name), maker);
    const source = options.format === 'dicom-seg' ? await readSourceSeries(files[0]) : undefined;
    return { scan, source, maker, ...segmentVolume(model, scan, how, (warning) => notes.push(warning)) };
  });
  if (segmented.kind === 'problem') return segmented;
  const { scan, source, maker, tile, probabilities, ...segmentation } = segmented.result;
  const [output, ofProbabilities] = outputsOf(options, name);
  const written = { labels: model.run.labels, maker };
  if (source === undefined) await writeLabelMap(output, scan, segmentation, written);
  else await writeSegments(output, source, segmentation, written);
  if (probabilities) await writeProbabilities(ofProbabilities, scan, { ...segmentation, probabilities }, maker);
  const seconds = (performance.now() - started) / 1000;
  return { kind: 'done', result: { input: files[0], output, tile, seconds } };
}
