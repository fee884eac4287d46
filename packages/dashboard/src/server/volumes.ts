import { createReadStream } from 'node:fs';
import { mkdir, realpath, stat } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { type Case, type DataSet, readDataSet, readLabelMap, readVolume, writeNifti } from 'ronasmis/data';
import { type RunRecord, UserError } from 'ronasmis/run';
import type { CaseFiles, ViewableCase } from '../shared/messages.ts';
import type { Predictions } from './predictions.ts';

/** A file of a case by what it is: a scan's file by its place among those of the case. */
export type VolumeKind = { readonly kind: 'scan'; readonly at: number } | { readonly kind: 'label' | 'prediction' };

/** What is needed to find the volumes of a run. */
export interface VolumeSource {
  readonly folder: string;
  readonly run: RunRecord;
  readonly isFinished: boolean;
  /** Where the addresses of the run's volumes begin. */
  readonly address: string;
}

/** The cases of the data sets that runs name, by the name of a case alone: no path comes from outside. */
export interface Volumes {
  readonly describe: (source: VolumeSource, name: string) => Promise<ViewableCase>;
  readonly caseNamed: (source: Pick<VolumeSource, 'run'>, name: string) => Promise<Case>;
  /** @throws UserError where there is no such file */
  readonly open: (source: VolumeSource, name: string, which: VolumeKind) => Promise<OpenFile>;
}

/** A file on its way to the page. */
export interface OpenFile {
  readonly stream: ReadableStream;
  readonly bytes: number;
}

/** Data sets are read once, and again where a case is looked for that they did not have. */
export function createVolumes(temporary: string, predictions: Predictions): Volumes {
  const dataSets = new Map<string, Promise<DataSet>>();
  const dataSetOf = ({ settings: { data_set, label_folder } }: RunRecord): Promise<DataSet> => {
    const key = `${data_set}\n${label_folder ?? ''}`;
    const found = dataSets.get(key) ?? readDataSet(data_set, label_folder);
    dataSets.set(key, found);
    found.catch(() => dataSets.delete(key));
    return found;
  };
  const caseNamed: Volumes['caseNamed'] = async ({ run }, name) => {
    const found = (await dataSetOf(run)).cases.find((one) => one.name === name);
    if (found === undefined) throw new UserError(`The data set ${run.settings.data_set} has no case ${name} any more.`);
    return found;
  };
  const predictionOf = async ({ folder }: VolumeSource, name: string): Promise<string | undefined> => {
    const own = await fileWithin(join(folder, 'predictions'), `${name}.nii.gz`);
    return own ?? predictions.made(folder, name);
  };
  return {
    caseNamed,
    describe: async (source, name) => {
      const { run } = source;
      const canPredict = source.isFinished && run.not_run_here === undefined;
      const common = { labels: run.labels.slice(1), canPredict };
      try {
        const found = await caseNamed(source, name);
        const prediction = await predictionOf(source, name);
        return { ...common, files: filesOf(source, found, prediction !== undefined), why: null };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { ...common, files: null, why: error.message };
      }
    },
    open: async (source, name, which) => {
      const found = await caseNamed(source, name);
      const path = which.kind === 'prediction' ? await predictionOf(source, name) : fileOf(found, which);
      if (path === undefined) throw new UserError(`There is no such volume of case ${name}.`);
      return openFile(isNifti(path) ? path : await converted(temporary, path, which.kind === 'label'));
    },
  };
}

function filesOf({ address, run }: VolumeSource, { name, images, label }: Case, isPredicted: boolean): CaseFiles {
  const of = (file: string, kind: string): string =>
    `${address}/${encodeURIComponent(name)}/${kind}${isNifti(file) && extname(file) === '.nii' ? '.nii' : '.nii.gz'}`;
  const count = run.network.input_channels;
  const channels = Array.from({ length: count }, (_, channel) =>
    images.length === count
      ? { url: of(images[channel], `scan-${channel}`), frame: 0 }
      : { url: of(images[0], 'scan-0'), frame: channel },
  );
  const prediction = isPredicted ? `${address}/${encodeURIComponent(name)}/prediction.nii.gz` : null;
  return { name, channels, label: of(label, 'label'), prediction };
}

const fileOf = ({ images, label }: Case, which: VolumeKind): string | undefined =>
  which.kind === 'scan' ? images.at(which.at) : label;

const isNifti = (path: string): boolean => /\.nii(\.gz)?$/i.test(path);

/** A file of a folder, wherever links lead, as long as that is within it. */
async function fileWithin(folder: string, name: string): Promise<string | undefined> {
  try {
    const [real, realFolder] = [await realpath(join(folder, name)), await realpath(folder)];
    return real.startsWith(realFolder + sep) ? real : undefined;
  } catch {
    return undefined;
  }
}

/** What the browser can't read is made NIfTI, once while this server runs. */
async function converted(temporary: string, path: string, isLabel: boolean): Promise<string> {
  const folder = join(temporary, 'converted');
  const file = join(folder, `${Buffer.from(resolve(path)).toString('base64url').slice(-180)}.nii.gz`);
  const isThere = await stat(file).catch(() => undefined);
  if (isThere !== undefined) return file;
  await mkdir(folder, { recursive: true });
  const { shape, channels, data, affine } = await (isLabel ? readLabelMap(path) : readVolume(path));
  await writeNifti(file, { shape, channels, data, affine });
  return file;
}

async function openFile(path: string): Promise<OpenFile> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) throw new UserError(`${path} is not there any more.`);
  return { stream: Readable.toWeb(createReadStream(path)), bytes: found.size };
}
