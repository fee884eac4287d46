import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type DataType, describeEngine, scope } from '@ronasmis/libtorch';
import { orientationOf } from '../data/affine.ts';
import { channelsOf } from '../data/case.ts';
import { groupChannels, readScan, type ScanFiles } from '../data/channels.ts';
import { mapConcurrently } from '../data/concurrently.ts';
import { mkdirWithParents } from '../data/files.ts';
import { probabilitiesSuffix, type Segmentation, writeLabelMap, writeProbabilities } from '../data/label-map.ts';
import { zScore } from '../data/normalisation.ts';
import { turnVolume } from '../data/orientation.ts';
import { prepareImage } from '../data/prepare.ts';
import { caseName, isDicomSeries, listScans, SCAN_ENDINGS } from '../data/scan-files.ts';
import type { Volume } from '../data/volume.ts';
import { type ComputeDevice, chooseDevice, dataTypeOf, type Precision } from '../device.ts';
import { reasonOf, UserError } from '../errors.ts';
import { castWeights } from '../network/weights.ts';
import { choosePrecision } from '../precision.ts';
import type { Progress } from '../run/records.ts';
import { loadModel, type Model } from './model.ts';
import { segment, segmentWithProbabilities, toImage } from './segment.ts';

export interface PredictOptions {
  /** Run folder of a finished search. */
  readonly run: string;
  /** Scans (NIfTI, NRRD or MetaImage files, or folders that hold a DICOM series), and folders of them. */
  readonly inputs: readonly string[];
  /** Folder for the label maps, named as the scans. */
  readonly out: string;
  /** Whether class probabilities are written beside each label map. */
  readonly probabilities?: boolean;
  readonly device?: 'auto' | ComputeDevice;
  readonly precision?: 'auto' | Precision;
}

export interface Prediction {
  readonly input: string;
  readonly output: string;
  /** From reading the scan to its label map on the disk, while others are read and written too. */
  readonly seconds: number;
}

/**
 * Segments scans with a search's network, each whole volume in one pass, and writes label maps on the scans' own grids with
 * the label values of the data set that was trained on.
 *
 * @throws UserError for a run that has not finished, an unreadable scan or one with other channels than the network's
 */
export async function predict(
  options: PredictOptions,
  hooks: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void } = {},
): Promise<readonly Prediction[]> {
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
    const volume = await readScan(files);
    hooks.onProgress?.({ phase: 'final', step: 0, done, total: scans.length });
    const { orientation = orientationOf(volume.affine) } = model.run;
    const input = turnVolume(volume, orientation);
    const segmentation = segmentVolume(model, input, {
      device,
      dataType,
      probabilities: options.probabilities ?? false,
    });
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
    return { input: files[0], output, seconds: (performance.now() - started) / 1000 };
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
}

/** @throws UserError where the scan has other channels than the network, or its spacing can't be that of a scan */
function segmentVolume(
  model: Model,
  volume: Volume,
  { device, dataType, probabilities }: SegmentationOptions,
): Segmentation {
  const expected = model.run.network.input_channels;
  const channels = channelsOf(volume);
  if (channels !== expected) {
    throw new UserError(
      `${volume.file} has ${channels} channels; the network was trained on ${expected}. Give a scan with the channels of the training data.`,
    );
  }
  const { normalisation = Array.from({ length: channels }, () => zScore), spacing } = model.run;
  const { image, shape, crop } = prepareImage(volume, normalisation, spacing);
  const [classes, shares] = scope(() => {
    const input = toImage(image, [1, channels, ...shape], device, dataType);
    const given = [model.weights, model.architecture, input, crop.size] as const;
    if (!probabilities) return [segment(...given).toArray()];
    const both = segmentWithProbabilities(...given);
    return [both.classes.toArray(), both.probabilities.toArray()];
  });
  if (!(classes instanceof Uint8Array)) throw new TypeError('Segmentations are uint8.');
  return {
    classes,
    ...(shares instanceof Float32Array && { probabilities: shares }),
    crop,
    orientation: orientationOf(volume.affine),
  };
}
