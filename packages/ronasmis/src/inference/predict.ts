import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type DataType, describeEngine, scope } from '@ronasmis/libtorch';
import { channelsOf } from '../data/case.ts';
import { groupChannels, readScan, type ScanFiles } from '../data/channels.ts';
import { mapConcurrently } from '../data/concurrently.ts';
import { mkdirWithParents } from '../data/files.ts';
import { probabilitiesSuffix, type Segmentation, writeLabelMap, writeProbabilities } from '../data/label-map.ts';
import { zScore } from '../data/normalisation.ts';
import { turnTo, turnVolume, unturned } from '../data/orientation.ts';
import { clipWarnings } from '../data/outliers.ts';
import { nearMend } from '../data/placement.ts';
import { prepareImage } from '../data/prepare.ts';
import { caseName, isDicomSeries, listScans, SCAN_ENDINGS } from '../data/scan-files.ts';
import type { Volume } from '../data/volume.ts';
import { type ComputeDevice, chooseDevice, dataTypeOf, type Precision } from '../device.ts';
import { reasonOf, UserError } from '../errors.ts';
import { castWeights } from '../network/weights.ts';
import { choosePrecision } from '../precision.ts';
import type { Progress } from '../run/records.ts';
import { bytesForPass, fittingTile } from './fitting.ts';
import { loadModel, type Model } from './model.ts';
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
 * grids with the label values of the data set that was trained on.
 *
 * @throws UserError for a run that has not finished, an unreadable scan or one with other channels than the network's
 */
export async function predict(options: PredictOptions, hooks: PredictHooks = {}): Promise<readonly Prediction[]> {
  const { run, inputs, out, device: wantedDevice = 'auto', precision: wantedPrecision = 'auto' } = options;
  const engine = describeEngine();
  const device = chooseDevice(wantedDevice, engine);
  const dataType = dataTypeOf[await choosePrecision(wantedPrecision, device, engine)];
  const loaded = await loadModel(run, device);
  const model = { ...loaded, weights: castWeights(loaded.weights, loaded.weights.keys(), dataType) };
  const scans = await findScans(inputs, model.run);
  await mkdirWithParents(out).catch((error: unknown) => {
    throw new UserError(`${out} cannot be made (${reasonOf(error)}): give another folder with --out.`);
  });
  let done = 0;
  // Scans are read ahead and label maps written behind, while the one between is segmented.
  return mapConcurrently(scans, async ({ name, files }) => {
    const started = performance.now();
    const { volume, clips } = await readScan(files, ({ file, what }) =>
      hooks.onWarning?.(`${file}: ${what}. ${nearMend}`),
    );
    for (const { message } of clipWarnings(files[0], clips)) hooks.onWarning?.(message);
    hooks.onProgress?.({ phase: 'final', step: 0, done, total: scans.length });
    const { orientation } = model.run;
    const turn = orientation === undefined ? unturned : turnTo(volume, orientation);
    const how = { device, dataType, probabilities: options.probabilities ?? false, memoryBytes: options.memoryBytes };
    const { tile, ...segmented } = segmentVolume(model, turnVolume(volume, turn), how, hooks.onWarning);
    const segmentation = { ...segmented, turn };
    const output = join(out, `${name}.nii.gz`);
    await writeLabelMap(output, volume, segmentation, model.run.labels);
    const { probabilities } = segmentation;
    if (probabilities) {
      await writeProbabilities(join(out, `${name}${probabilitiesSuffix}.nii.gz`), volume, {
        ...segmentation,
        probabilities,
      });
    }
    done += 1;
    hooks.signal?.throwIfAborted();
    return { input: files[0], output, tile, seconds: (performance.now() - started) / 1000 };
  });
}

/** The scans that files and folders mean, each once. */
async function findScans(
  inputs: readonly string[],
  { channel_files, network }: Model['run'],
): Promise<readonly ScanFiles[]> {
  const found = await Promise.all(
    inputs.map(async (input) => {
      const entry = await stat(input).catch(() => {
        throw new UserError(`${input}: there is no such file or folder. Check the path.`);
      });
      return entry.isDirectory() && !(await isDicomSeries(input)) ? listScans(input) : [input];
    }),
  );
  const files = [...new Set(found.flat())];
  if (files.length === 0)
    throw new UserError(
      `${inputs.join(', ')}: no scan (${SCAN_ENDINGS.join(', ')} or a folder of DICOM) is there to be segmented.`,
    );
  const scans = channel_files
    ? groupChannels(files, network.input_channels)
    : files.map((file): ScanFiles => ({ name: caseName(file), files: [file] }));
  const names = scans.map(({ name }) => name);
  const twice = scans.find(({ name }, index) => names.indexOf(name) < index);
  if (twice !== undefined) {
    const [file] = twice.files;
    throw new UserError(`${file}: another scan is called ${basename(file)} too. Segment them into separate folders.`);
  }
  return scans;
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
  volume: Volume,
  { device, dataType, probabilities, memoryBytes }: SegmentationOptions,
  warn: PredictHooks['onWarning'],
): Omit<Segmentation, 'turn'> & Pick<Prediction, 'tile'> {
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
    throw new UserError(`${volume.file}: memory does not suffice for it, nor for tiles of it. Give more --memory.`);
  }
  const isWhole = String(tile) === String(shape);
  if (!isWhole) {
    const tiles = `${tileOffsets(shape, tile).length} overlapping tiles of ${tile.join(' x ')} voxels`;
    warn?.(
      `${volume.file} does not fit into memory in one pass: it is segmented in ${tiles}, which is worse the smaller they are. Give more --memory.`,
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
    tile: isWhole ? null : tile,
  };
}
