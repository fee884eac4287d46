import { type DataType, describeEngine, scope } from '@ronasmis/libtorch';
import { channelsOf } from '../data/case.ts';
import { readScan, type ScanFiles } from '../data/channels.ts';
import { mapConcurrently } from '../data/concurrently.ts';
import { mkdirWithParents } from '../data/files.ts';
import { type Segmentation, writeLabelMap, writeProbabilities } from '../data/label-map.ts';
import { scanKey } from '../data/nifti-mark.ts';
import { zScore } from '../data/normalisation.ts';
import { turnTo, turnVolume, unturned } from '../data/orientation.ts';
import { clipWarnings } from '../data/outliers.ts';
import { nearMend } from '../data/placement.ts';
import { prepareImage } from '../data/prepare.ts';
import type { Volume } from '../data/volume.ts';
import { type ComputeDevice, chooseDevice, dataTypeOf, type Precision } from '../device.ts';
import { type Outcome, outcomeOf, reasonOf, sortOutcomes, UserError } from '../errors.ts';
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
  /** Told, in a sentence, of what is odd about a scan, before it is segmented: that it goes in tiles, or that intensities were clipped. */
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
  const read = ({ files }: ScanFiles) =>
    readScan(files, ({ file, what }) => hooks.onWarning?.(`${file}: ${what}. ${nearMend}`));
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
      for (const { message } of clipWarnings(files[0], clips)) hooks.onWarning?.(message);
      hooks.onProgress?.({ phase: 'final', step: 0, done, total: scans.length });
      const maker = { run: runKey(found.run), scan: scanKey(scan) };
      if (!options.overwrite) await requireSameScan(outputsOf(options, name), maker);
      return { scan, maker, ...segmentVolume(model, scan, how, hooks.onWarning) };
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
  );
  const { results, problems } = sortOutcomes(outcomes.filter((outcome) => outcome !== undefined));
  const all = [...unusable, ...problems, ...(written.kind === 'problem' ? [written.sentence] : [])];
  if (all.length > 0) throw new IncompletePrediction(results, all);
  return results;
}

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
  warn: PredictHooks['onWarning'],
): Segmentation & Pick<Prediction, 'tile'> {
  const { orientation } = model.run;
  const turn = orientation === undefined ? unturned : turnTo(scan, orientation);
  const volume = turnVolume(scan, turn);
  const expected = model.run.network.input_channels;
  const channels = channelsOf(volume);
  if (channels !== expected) {
    throw new UserError(
      `${volume.file} has ${channels} channels; the network was trained on ${expected}. Give a scan with the channels of the training data.`,
    );
  }
  const { normalisation = Array.from({ length: channels }, () => zScore), spacing } = model.run;
  const { image, shape, crop } = prepareImage(volume, normalisation, spacing);
  const tile = fittingTile(model, shape, bytesForPass(memoryBytes, device), { device, dataType });
  if (tile === undefined) {
    const { tiles } = sufficientMemory(model, shape, { device, dataType });
    throw new UserError(
      `${volume.file}: memory does not suffice for it, nor for tiles of it. Give at least --memory ${tiles}MiB.`,
    );
  }
  const isWhole = String(tile) === String(shape);
  if (!isWhole) {
    const { whole } = sufficientMemory(model, shape, { device, dataType });
    const tiles = `${tileOffsets(shape, tile).length} overlapping tiles of ${tile.join(' x ')} voxels`;
    warn?.(
      `${volume.file} does not fit into memory in one pass: it is segmented in ${tiles}, which is worse the smaller they are. One pass takes --memory ${whole}MiB.`,
    );
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
