import './strict.ts';
import {
  dicomSegmentation,
  type ElsewherePlan,
  formatBytes,
  labelValues,
  niftiContent,
  planElsewhere,
  reversed,
  segmentElsewhere,
  spacingOf,
  UserError,
  type Voxels,
} from 'ronasmis/segmenter';
import { packed } from './gzip.ts';
import type { Answer, Described, Engine, GivenFile, LabelVolume, OpenedScan, Request } from './messages.ts';
import { type KnownModel, readModel } from './model.ts';
import { openRuntime, type Runtime } from './runtime.ts';
import { type GivenScan, readGivenScan } from './scan.ts';

// Reads, segments and writes scans beside the page, which stays awake meanwhile.

let model: Promise<KnownModel> | undefined;
let runtime: Runtime | undefined;
let opened: { readonly scan: GivenScan; readonly plan: ElsewherePlan } | undefined;
/** Label values of the scan that was segmented last, on its own grid. */
let labelMap: Voxels | undefined;

/** One request after the other. */
let last: Promise<void> = Promise.resolve();
self.addEventListener('message', ({ data }: MessageEvent<Request>) => {
  last = last.then(() => answer(data));
});

async function answer(request: Request): Promise<void> {
  try {
    tell(await answerTo(request));
  } catch (error) {
    tell({ kind: 'problem', sentence: sentenceOf(error) });
  }
}

const tell = (message: Answer): void => self.postMessage(message);

async function answerTo(request: Request): Promise<Answer> {
  model ??= readModel();
  const known = await model;
  switch (request.kind) {
    case 'describe':
      return describe(known);
    case 'open':
      return open(known, request.files, request.memoryBytes);
    case 'segment':
      return segment(known, request.engine);
    case 'save':
      return save(known, request.format);
  }
}

function describe({ run: { network, labels, version } }: KnownModel): Described {
  return { kind: 'described', channels: network.input_channels, labels: labels.slice(1), version };
}

async function open(known: KnownModel, files: readonly GivenFile[], memoryBytes: number): Promise<OpenedScan> {
  opened = undefined;
  labelMap = undefined;
  const scan = await readGivenScan(files, known);
  const { volume } = scan;
  const plan = planElsewhere(known, volume, memoryBytes);
  opened = { scan, plan };
  return {
    kind: 'opened',
    name: scan.name,
    size: reversed(volume.shape),
    spacing: spacingOf(volume.affine),
    channels: volume.channels,
    // Of the smallest scans it is less.
    memory: formatBytes(Math.max(plan.bytes, 2 ** 20)),
    passes: plan.passes,
    cut: plan.isCut && plan.tile !== null ? reversed(plan.tile) : null,
    warnings: scan.warnings,
    isDicom: scan.source !== null,
    nifti: ownBytes(niftiContent(volume.file, volume).content),
  };
}

async function segment(known: KnownModel, engine: Engine): Promise<Answer> {
  if (opened === undefined) throw new UserError('No scan is open. Give one first.');
  const { scan, plan } = opened;
  const started = performance.now();
  tell({ kind: 'progress', done: 0, total: plan.passes });
  if (runtime?.engine !== engine) runtime = await openRuntime(engine);
  const segmentation = await segmentElsewhere(known, plan, runtime.run, (done, total) =>
    tell({ kind: 'progress', done, total }),
  );
  const values = labelValues(segmentation, known.run.labels);
  labelMap = values;
  return {
    kind: 'segmented',
    seconds: (performance.now() - started) / 1000,
    volumes: volumesOf(values, known, scan),
    nifti: ownBytes(labelMapOf(scan, values)),
  };
}

const labelMapOf = ({ volume: { file, shape, prefix } }: GivenScan, data: Voxels): Uint8Array =>
  niftiContent(file, { shape, data, prefix }).content;

function volumesOf(values: Voxels, { run }: KnownModel, { volume }: GivenScan): readonly LabelVolume[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const cubicMillimetres = volume.spacing[0] * volume.spacing[1] * volume.spacing[2];
  return run.labels.slice(1).map((label) => {
    const voxels = counts.get(label.value) ?? 0;
    return { ...label, voxels, millilitres: (voxels * cubicMillimetres) / 1000 };
  });
}

async function save({ key, run }: KnownModel, format: 'nifti' | 'dicom-seg'): Promise<Answer> {
  if (opened === undefined || labelMap === undefined) throw new UserError('No scan was segmented yet.');
  const { scan } = opened;
  if (format === 'nifti') {
    const bytes = await packed(ownBytes(labelMapOf(scan, labelMap)));
    return { kind: 'saved', name: `${scan.name}.nii.gz`, bytes };
  }
  if (scan.source === null) throw new UserError(`${scan.name}: this is no DICOM series. Save NIfTI.`);
  const [, ...segments] = run.labels;
  const made = { network: key, made: new Date() };
  const bytes = dicomSegmentation(scan.source(), labelMap, segments, made);
  return { kind: 'saved', name: `${scan.name}.dcm`, bytes: ownBytes(bytes) };
}

/** Bytes in an array buffer of their own, as a message and a file take them. */
const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes);

/** What went wrong, in a sentence with what can be done. */
function sentenceOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  const what = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError || /memory|allocat|bad_alloc/i.test(what))
    return `The browser has no memory left for this (${what}). Give less of it to the network, so that it goes in smaller tiles, or close other pages.`;
  return `This is a defect of the page, or the browser lacks something (${what}). Reload it, or use 'ronasmis predict'.`;
}
