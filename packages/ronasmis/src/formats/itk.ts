import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { fixable, sizeOf } from '../base/files.ts';
import { voxelsOf } from '../base/geometry.ts';
import type { Voxels } from '../base/voxels.ts';
import { type Affine, affineFromLps, requirePlaced } from './affine.ts';
import { endings } from './endings.ts';
import type { ItkAnswer, ItkRequest } from './itk-worker.ts';
import { volumeOn } from './nifti-header.ts';
import { type FileFormat, type Grid, statedGrid, type Volume } from './volume.ts';
import { withVoxelFiles } from './voxel-files.ts';

/** An image as ITK has it: x fastest, the components of a voxel side by side, in millimetres towards left, posterior, superior. */
const imageSchema = z.object({
  imageType: z.object({ components: z.int().min(1) }),
  size: z.array(z.int().min(1)).min(1).max(7),
  origin: z.array(z.number()),
  spacing: z.array(z.number()),
  /** The rows of a square matrix, whose columns are the directions of the axes. */
  direction: z.instanceof(Float64Array),
  data: z.union([
    z.instanceof(Uint8Array),
    z.instanceof(Int8Array),
    z.instanceof(Uint16Array),
    z.instanceof(Int16Array),
    z.instanceof(Uint32Array),
    z.instanceof(Int32Array),
    z.instanceof(BigUint64Array),
    z.instanceof(BigInt64Array),
    z.instanceof(Float32Array),
    z.instanceof(Float64Array),
  ]),
});

type ItkImage = z.infer<typeof imageSchema>;
type ItkFormat = 'nrrd' | 'meta_image';

/** Both by ITK, where it is installed; components of a voxel become channels. */
export const nrrd = formatOf('nrrd', endings.nrrd);
export const metaImage = formatOf('meta_image', endings.meta_image);

function formatOf(format: ItkFormat, endings: readonly string[]): FileFormat {
  return {
    kind: 'several_files',
    endings,
    readVolume: (file) => readVolume(file, format),
    // Of a compressed MetaImage, ITK unpacks the voxels all the same.
    readGrid: async (file) => gridOf(file, await readImage(file, format, true)),
  };
}

async function readVolume(file: string, format: ItkFormat): Promise<Volume> {
  const image = await readImage(file, format, false);
  const grid = gridOf(file, image);
  const data = componentsApart(valuesOf(image), image.imageType.components);
  if (data.length !== grid.channels * voxelsOf(grid.shape)) throw unreadable(file);
  return volumeOn(file, grid, data);
}

/**
 * The voxels of DICOM slices, in the order of `files`, with one rescale slope and intercept, which are applied.
 * @param folder of the series, which messages name
 * @throws UserError where they cannot be read, or ITK is not installed
 */
export async function readItkSlices(folder: string, files: readonly string[]): Promise<Voxels> {
  const found = await Promise.all(files.map((file) => fixable(file, () => realpath(file))));
  return valuesOf(await ask(folder, { format: 'dicom', files: found }));
}

async function readImage(file: string, format: ItkFormat, headerOnly: boolean): Promise<ItkImage> {
  await fixable(file, async () => sizeOf(file));
  return withVoxelFiles(file, (whole) => ask(file, { format, file: whole, headerOnly }));
}

function gridOf(file: string, { imageType, size, origin, spacing, direction }: ItkImage): Grid {
  const step = (row: number, column: number): number => {
    if (row >= size.length || column >= size.length) return row === column ? 1 : 0;
    return direction[row * size.length + column] * spacing[column];
  };
  const rowOf = (axis: number) => [step(axis, 0), step(axis, 1), step(axis, 2), origin[axis] ?? 0] as const;
  const affine: Affine = affineFromLps([rowOf(0), rowOf(1), rowOf(2), [0, 0, 0, 1]]);
  requirePlaced(file, affine);
  const [x, y = 1, z = 1, ...others] = size;
  const { components } = imageType;
  if (components > 1 && /\.seg\.nrrd$/i.test(file)) {
    const what = `its segments overlap, so that they lie in ${components} layers`;
    throw new UserError(`${file}: ${what}. Export it as one label map (in 3D Slicer, "Export to labelmap").`);
  }
  return statedGrid(file, components === 1 ? size : [x, y, z, ...others, components], affine);
}

/** 64-bit integers become float64, as NIfTI's do. */
function valuesOf({ data }: ItkImage): Voxels {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  return data;
}

/** Values with the components of all voxels one after the other, where those of one voxel stood side by side. */
function componentsApart(data: Voxels, components: number): Voxels {
  if (components === 1) return data;
  const apart = data.slice();
  const voxels = data.length / components;
  for (let component = 0; component < components; component++) {
    for (let voxel = 0; voxel < voxels; voxel++)
      apart[component * voxels + voxel] = data[voxel * components + component];
  }
  return apart;
}

/** Beside this file, and of its kind: source or compiled. */
const WORKER_FILE = `./itk-worker${extname(import.meta.url)}`;

let worker: Worker | undefined;
/** The request before: one at a time is read, for each takes WebAssembly memory of its own. */
let last: Promise<unknown> = Promise.resolve();

/** What ITK reads. @throws UserError about `path` */
async function ask(path: string, request: ItkRequest): Promise<ItkImage> {
  const asked = last.then(() => send(request));
  last = asked;
  const answer = await asked;
  if (answer.kind === 'not_installed') {
    throw new UserError(
      `${path}: to read this format, the package ${answer.packageName} is needed. Install it with "npm install ${answer.packageName}".`,
    );
  }
  const parsed = imageSchema.safeParse(answer.kind === 'read' ? answer.image : undefined);
  if (!parsed.success) throw unreadable(path);
  return parsed.data;
}

const unreadable = (path: string): UserError =>
  new UserError(`${path}: it is damaged, truncated or of a kind that ITK does not read. Copy or export it again.`);

/** Asks the thread, which is started when it is first needed, and keeps no process alive that waits for nothing. */
async function send(request: ItkRequest): Promise<ItkAnswer> {
  worker ??= new Worker(new URL(WORKER_FILE, import.meta.url));
  const thread = worker;
  thread.ref();
  try {
    const answered = once(thread, 'message');
    thread.postMessage(request);
    const [answer]: readonly ItkAnswer[] = await answered;
    return answer;
  } catch {
    // The thread has ended, as it does without memory; the next request starts another.
    worker = undefined;
    return { kind: 'failed' };
  } finally {
    thread.unref();
  }
}
