import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  convolution3d,
  type EngineDescription,
  meanAll,
  normaliseAndActivate,
  ones,
  randn,
  scope,
  type Tensor,
  to,
  zeros,
} from '@ronasmis/libtorch';
import { z } from 'zod';
import { makeFolder, writeAtomically } from './data/files.ts';
import { type ComputeDevice, dataTypeOf, type Precision } from './device.ts';
import { UserError } from './errors.ts';

const secondsSchema = z.number().positive().nullable();
const timingsSchema = z.strictObject({ fp32: z.number().positive(), bf16: secondsSchema, fp16: secondsSchema });

/** Seconds of a training block in each precision; null where the device does not compute in it. */
export type PrecisionTimings = Readonly<z.infer<typeof timingsSchema>>;

const cacheSchema = z.record(z.string(), timingsSchema);

/** The precision that is meant; `auto` is the one that a training block is faster in on this device. */
export async function choosePrecision(
  wanted: 'auto' | Precision,
  device: ComputeDevice,
  engine: EngineDescription,
): Promise<Precision> {
  if (wanted === 'fp16' && device !== 'cuda')
    throw new UserError('--precision fp16 is for NVIDIA GPUs: use fp32 or bf16 on this device, or auto.');
  if (wanted !== 'auto') return wanted;
  return fasterPrecision(await precisionTimings(device, engine));
}

/** The fastest; bfloat16 rather than float16 where they are alike, for it needs no scaling of losses. */
export function fasterPrecision({ fp32, bf16, fp16 }: PrecisionTimings): Precision {
  const fastest = Math.min(fp32, bf16 ?? fp32, fp16 ?? fp32);
  if (fastest === fp32) return 'fp32';
  return bf16 !== null && bf16 < fp32 && bf16 <= alike * fastest ? 'bf16' : 'fp16';
}

/** Measured once a machine: kept in the user's cache folder, by device, processor, threads and libtorch's version. */
export async function precisionTimings(
  device: ComputeDevice,
  engine: EngineDescription,
  folder = cacheFolder(),
): Promise<PrecisionTimings> {
  const { cpu, version } = engine;
  const key = `${device}, ${cpu.name}, ${cpu.capability}, ${cpu.threads} threads, libtorch ${version}`;
  const file = join(folder, 'precision.json');
  const known = await readCache(file);
  if (known[key]) return known[key];
  const measured = measurePrecisions(device);
  // Where nothing can be kept it is measured again, which takes less than a second.
  await makeFolder(folder)
    .then(() => writeAtomically(file, Buffer.from(JSON.stringify({ ...known, [key]: measured }, null, 2))))
    .catch(() => {});
  return measured;
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ronasmis');
}

async function readCache(file: string): Promise<z.infer<typeof cacheSchema>> {
  try {
    return cacheSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}

/** The network's commonest block on two volumes of a common size. */
const shape = [2, 32, 20, 28, 20];
const repetitions = 5;
/** How many times as long bfloat16 may take as float16 to be chosen all the same; on GPUs before Ampere it takes longer. */
const alike = 1.25;

function measurePrecisions(device: ComputeDevice): PrecisionTimings {
  const seconds = (precision: Precision): number => scope(() => blockSeconds(device, precision));
  const where = (offered: boolean, precision: Precision): number | null => {
    try {
      return offered ? seconds(precision) : null;
    } catch {
      return null;
    }
  };
  return { fp32: seconds('fp32'), bf16: where(true, 'bf16'), fp16: where(device === 'cuda', 'fp16') };
}

/** Fastest forward and backward pass of a convolution with its norm and activation, after a first one. */
function blockSeconds(device: ComputeDevice, precision: Precision): number {
  const dataType = dataTypeOf[precision];
  const channels = shape[1];
  const random = (size: readonly number[]): Tensor =>
    to(randn(size, 'float32'), dataType, null, device, null, false, false, 'channels_last_3d');
  const input = random(shape);
  const kernel = random([channels, channels, 3, 3, 3]);
  const [scale, shift] = [ones([channels], dataType, null, device), zeros([channels], dataType, null, device)];
  for (const leaf of [input, kernel]) leaf.requiresGradient = true;
  const run = (): number =>
    scope(() => {
      const started = performance.now();
      meanAll(normaliseAndActivate(convolution3d(input, kernel), scale, shift, 'leaky_relu')).backward();
      // Read back, so that a device that works on its own has finished.
      if (kernel.gradient) meanAll(kernel.gradient).item();
      return (performance.now() - started) / 1000;
    });
  run();
  return Math.min(...Array.from({ length: repetitions }, run));
}
