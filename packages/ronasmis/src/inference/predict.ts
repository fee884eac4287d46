import { type DataType, describeEngine, scope } from '@ronasmis/libtorch';
import { channelsOf } from '../data/case.ts';
import { readScan, type ScanFiles } from '../data/channels.ts';
import { beside, checkVoxels } from '../data/check-case.ts';
import { mapConcurrently } from '../data/concurrently.ts';
import { mkdirWithParents } from '../data/files.ts';
import { type Segmentation, writeLabelMap, writeProbabilities } from '../data/label-map.ts';
import { scanKey } from '../data/nifti-mark.ts';
import { zScore } from '../data/normalisation.ts';
import { turnTo, turnVolume, unturned } from '../data/orientation.ts';
import { clipWarnings } from '../data/outliers.ts';
import { prepareImage } from '../data/prepare.ts';
import { type CaseProblem, oneLineAKind } from '../data/problems.ts';
import type { Volume } from '../data/volume.ts';
import { type ComputeDevice, chooseDevice, dataTypeOf, type Precision } from '../device.ts';
import { type Outcome, outcomeOf, reasonOf, some, sortOutcomes, UserError } from '../errors.ts';
import { castWeights } from '../network/weights.ts';
import { choosePrecision } from '../precision.ts';
import { type Progress, runKey } from '../run/records.ts';
import { bytesForPass, fittingTile, sufficientMemory } from './fitting.ts';
import { type Model, openModel, readFinishedRun } from './model.ts';
import { findScans, outputsOf, requireSameScan, requireUnharmed } from './scans.ts';
import { segment, segmentWithProbabilities, toImage } from './segment.ts';
import { type Size, tileOffsets } from './tiles.ts';

/** What is segmented, by which search, and where to. */
export interface PredictOptions {
  /** Run folder of a finished search. */
  readonly run: string;
  /** Scans (NIfTI, NRRD or MetaImage files, or folders that hold a DICOM series), and folders of them. */
  readonly inputs: readonly string[];
  /** Folder for the label maps, named as the scans. */
  readonly out: string;
  /** Whether class probabilities are written beside each label map. */
  readonly probabilities?: boolean;
  /**
   * Bytes of the process, or of a GPU's memory, that may be taken; 80 % of what is free where it is left out. A scan that does not fit in one
   * pass is segmented in overlapping tiles.
   */
  readonly memoryBytes?: number;
  readonly device?: 'auto' | ComputeDevice;
  readonly precision?: 'auto' | Precision;
  /** Whether label maps replace files that this run has not made, or that were changed since; not where it is left out. */
  readonly overwrite?: boolean;
}

/** A scan that was segmented: its file, the first where it has several, and the file of its label map. */
export interface Prediction {
  readonly input: string;
  readonly output: string;
  /** `[depth, height, width]` of the tiles that the scan was passed in, at the network's spacing; null where it was passed as a whole. */
  readonly tile: Size | null;
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
 * @throws UserError, before anything is written, for a run that has not finished or an output folder where scans, label maps or files that
 *   others have made would be replaced; IncompletePrediction, once all others are segmented, for scans that cannot be read or do not fit the network
 */
export async function predict(options: PredictOptions, hooks: PredictHooks = {}): Promise<readonly Prediction[]> {
  const { run, inputs, out, device: wantedDevice = 'auto', precision: wantedPrecision = 'auto' } = options;
  const found = await readFinishedRun(run);
  const { scans, problems: unusable } = await findScans(
    inputs,
    found.run,
    (name) => outputsOf(options, name),
    hooks.onWarning,
  );
  await requireUnharmed(options, found.run, scans);
  if (scans.length > 0) {
    await mkdirWithParents(out).catch((error: unknown) => {
      throw new UserError(`${out} cannot be made (${reasonOf(error)}): give another folder with --out.`);
    });
  }
  const notes: CaseProblem[] = [];
  const note = (one: CaseProblem): unknown => notes.push(one);
  const read = ({ files }: ScanFiles) => readScan(files, (channel) => note(beside(channel, 'channel files')));
  // The first is read while libtorch is still being loaded by another thread. What is wrong with it is said in its turn.
  const ahead = new Map(scans.slice(0, 1).map((scan) => [scan, read(scan)]));
  await Promise.allSettled(ahead.values());
  const engine = describeEngine();
  const device = chooseDevice(wantedDevice, engine);
  const dataType = dataTypeOf[await choosePrecision(wantedPrecision, device, engine)];
  const loaded = await openModel(found, device);
  const model = { ...loaded, weights: castWeights(loaded.weights, loaded.weights.keys(), dataType) };
  const how = { device, dataType, probabilities: options.probabilities ?? false, memoryBytes: options.memoryBytes };
  const outcomes: Outcome<Prediction>[] = [];
  let done = 0;
  const predictOne = async (scanFiles: ScanFiles): Promise<Outcome<Prediction>> => {
    const { name, files } = scanFiles;
    const started = performance.now();
    const segmented = await outcomeOf(async () => {
      const reading = ahead.get(scanFiles) ?? read(scanFiles);
      ahead.delete(scanFiles); // or its voxels would stay to the end
      const { volume: scan, clips } = await reading;
      clipWarnings(files[0], clips).forEach(note);
      // What is no number is an error of preparing it.
      const odd = checkVoxels(files[0], scan).filter(({ severity }) => severity === 'warning');
      odd.forEach(note);
      hooks.onProgress?.({ phase: 'final', step: 0, done, total: scans.length });
      const maker = { run: runKey(found.run), scan: scanKey(scan) };
      if (!options.overwrite) await requireSameScan(outputsOf(options, name), maker);
      return { scan, maker, ...segmentVolume(model, scan, how, note) };
    });
    if (segmented.kind === 'problem') return segmented;
    const { scan, maker, tile, probabilities, ...segmentation } = segmented.result;
    const [output, ofProbabilities] = outputsOf(options, name);
    await writeLabelMap(output, scan, segmentation, { labels: model.run.labels, maker });
    if (probabilities) await writeProbabilities(ofProbabilities, scan, { ...segmentation, probabilities }, maker);
    const seconds = (performance.now() - started) / 1000;
    return { kind: 'done', result: { input: files[0], output, tile, seconds } };
  };
  // Scans are read ahead and label maps written behind, while the one between is segmented. What can't be written ends it all: the folder is at fault.
  const written = await outcomeOf(() =>
    mapConcurrently([...scans.entries()], async ([index, scan]) => {
      outcomes[index] = await predictOne(scan);
      done += 1;
      hooks.signal?.throwIfAborted();
    }),
  ).finally(() => {
    const warnings = notes.filter(({ severity }) => severity === 'warning');
    for (const sentence of aKind(warnings, options, scans.length)) hooks.onWarning?.(sentence);
  });
  const { results, problems } = sortOutcomes(outcomes.filter((outcome) => outcome !== undefined));
  const ofKind = new Map(notes.map((one) => [one.message, one]));
  const noted = problems.map((message) => ofKind.get(message) ?? { severity: 'error' as const, file: '', message });
  const all = [
    ...unusable,
    ...aKind(noted, options, scans.length),
    ...(written.kind === 'problem' ? [written.sentence] : []),
  ];
  if (all.length > 0) throw new IncompletePrediction(results, all);
  return results;
}

/** Sentences, one a kind. */
const aKind = (problems: readonly CaseProblem[], { inputs }: PredictOptions, scans: number): readonly string[] =>
  oneLineAKind(problems, some(inputs), scans).map(({ message }) => message);

interface SegmentationOptions {
  readonly device: ComputeDevice;
  readonly dataType: DataType;
  readonly probabilities: boolean;
  readonly memoryBytes: number | undefined;
}

/**
 * @throws UserError where the scan has other channels than the network, its spacing can't be that of a scan, or memory does not even
 * suffice for tiles
 */
function segmentVolume(
  model: Model,
  scan: Volume,
  { device, dataType, probabilities, memoryBytes }: SegmentationOptions,
  note: (problem: CaseProblem) => unknown,
): Segmentation & Pick<Prediction, 'tile'> {
  const { orientation } = model.run;
  const turn = orientation === undefined ? unturned : turnTo(scan, orientation);
  const volume = turnVolume(scan, turn);
  const expected = model.run.network.input_channels;
  const channels = channelsOf(volume);
  if (channels !== expected) {
    const asFiles = model.run.channel_files ? ', in one file or in files called CASE_0000, CASE_0001 and so on' : '';
    throw new UserError(
      `${volume.file} has ${channels} channels; the network was trained on ${expected}. Give a scan with the channels of the training data${asFiles}.`,
    );
  }
  const { normalisation = Array.from({ length: channels }, () => zScore), spacing } = model.run;
  const { image, shape, crop } = prepareImage(volume, normalisation, spacing);
  const tile = fittingTile(model, shape, bytesForPass(memoryBytes, device), { device, dataType });
  if (tile === undefined) {
    const { tiles } = sufficientMemory(model, shape, { device, dataType });
    const mend = `Give at least --memory ${tiles}MiB.`;
    const message = `${volume.file}: memory does not suffice for it, nor for tiles of it. ${mend}`;
    const several = 'are too large for the memory, and so are tiles of them';
    const kind = { several, mend, what: `${tiles}MiB`, distance: tiles };
    note({ severity: 'error', file: volume.file, message, kind });
    throw new UserError(message);
  }
  const isWhole = String(tile) === String(shape);
  if (!isWhole) {
    const { whole } = sufficientMemory(model, shape, { device, dataType });
    const tiles = `${tileOffsets(shape, tile).length} overlapping tiles of ${tile.join(' x ')} voxels`;
    const message = `${volume.file} does not fit into memory in one pass: it is segmented in ${tiles}, which is worse the smaller they are. One pass takes --memory ${whole}MiB.`;
    const several =
      'are segmented in overlapping tiles, for they do not fit into memory in one pass (which is worse the smaller the tiles are)';
    const mend = `One pass of each takes --memory ${whole}MiB.`;
    note({ severity: 'warning', file: volume.file, message, kind: { several, mend, what: tiles, distance: whole } });
  }
  const [classes, shares] = scope(() => {
    const input = toImage(image, [1, channels, ...shape], device, dataType);
    const sizes = { size: crop.size, ...(!isWhole && { tile }) };
    const given = [model.weights, model.architecture, input, sizes] as const;
    if (!probabilities) return [segment(...given).toArray()];
    const both = segmentWithProbabilities(...given);
    return [both.classes.toArray(), both.probabilities.toArray()];
  });
  if (!(classes instanceof Uint8Array)) throw new TypeError('Segmentations are uint8.');
  return {
    classes,
    ...(shares instanceof Float32Array && { probabilities: shares }),
    crop,
    turn,
    tile: isWhole ? null : tile,
  };
}
