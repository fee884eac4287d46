import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
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
import { UserError } from '../base/errors.ts';
import { makeFolder, readBytes, writeAtomically } from '../base/files.ts';
import { type ComputeDevice, dataTypeOf, type Precision } from './device.ts';

const secondsSchema = z.number().positive().nullable();
const timingsSchema = z.strictObject({ fp32: z.number().positive(), bf16: secondsSchema, fp16: secondsSchema });

/** Seconds of a training block in each precision; null where the device does not compute in it, or a processor has no units for it. */
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

/**
 * The fastest, but float32 where no other is clearly faster, and bfloat16 rather than float16 where they are alike, for it needs no
 * scaling of losses.
 */
export function fasterPrecision({ fp32, bf16, fp16 }: PrecisionTimings): Precision {
  const fastest = Math.min(bf16 ?? fp32, fp16 ?? fp32);
  if (fastest > clearlyFaster * fp32) return 'fp32';
  return bf16 !== null && bf16 <= Math.min(alike * fastest, fp32) ? 'bf16' : 'fp16';
}

/** Measured once a machine: kept in the user's cache folder, by device, processor, threads and libtorch's version. */
export async function precisionTimings(
  device: ComputeDevice,
  engine: EngineDescription,
  folder = cacheFolder(),
): Promise<PrecisionTimings> {
  const { cpu, version } = engine;
  const key = `${device}, ${cpu.name}, ${cpu.capability}, bfloat16 by ${cpu.bf16}, ${cpu.threads} threads, libtorch ${version}`;
  const measure = (): PrecisionTimings => measurePrecisions(device, device !== 'cpu' || cpu.bf16 !== 'none');
  // Where nothing can be kept it is measured again, which takes less than a second.
  if (folder === undefined) return measure();
  const file = join(folder, 'precision.json');
  const known = await readCache(file);
  if (known[key]) return known[key];
  const measured = measure();
  await makeFolder(folder)
    .then(() => writeAtomically(file, Buffer.from(JSON.stringify({ ...known, [key]: measured }, null, 2))))
    .catch(() => {});
  return measured;
}

/** Where the user keeps what can be made anew; undefined for a user without a home, as containers have them. */
export function cacheFolder(): string | undefined {
  const { XDG_CACHE_HOME } = process.env;
  if (XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'ronasmis');
  try {
    const home = homedir();
    return isAbsolute(home) ? join(home, '.cache', 'ronasmis') : undefined;
  } catch {
    return undefined; // no HOME, and the system knows no such user
  }
}

async function readCache(file: string): Promise<z.infer<typeof cacheSchema>> {
  try {
    return cacheSchema.parse(JSON.parse(Buffer.from(await readBytes(file)).toString()));
  } catch {
    return {};
  }
}

/** The network's commonest block on two volumes of a common size. */
const shape = [2, 32, 20, 28, 20];
const repetitions = 5;
/**
 * Share of float32's time that another precision may take to be chosen: where a processor has no units for it, this block may take as
 * long in either, and whole training steps twice as long.
 */
const clearlyFaster = 0.9;
/** How many times as long bfloat16 may take as float16 to be chosen all the same; on GPUs before Ampere it takes longer. */
const alike = 1.25;

/**
 * Fastest forward and backward pass of a block in each precision, after a first one. They take turns, so that other work on the machine
 * slows all of them: the answer is kept for good.
 * @param hasBf16 whether bfloat16 is measured: a processor without units for it is never faster so, and a measurement beside other work may say it is
 */
function measurePrecisions(device: ComputeDevice, hasBf16: boolean): PrecisionTimings {
  return scope(() => {
    const fp32 = precisionBlock(device, 'fp32');
    const bf16 = hasBf16 ? orNull(() => precisionBlock(device, 'bf16')) : null;
    const fp16 = device === 'cuda' ? orNull(() => precisionBlock(device, 'fp16')) : null;
    const round = () => ({ fp32: fp32(), bf16: bf16 && orNull(bf16), fp16: fp16 && orNull(fp16) });
    round();
    return Array.from({ length: repetitions }, round).reduce((fastest, next) => ({
      fp32: Math.min(fastest.fp32, next.fp32),
      bf16: faster(fastest.bf16, next.bf16),
      fp16: faster(fastest.fp16, next.fp16),
    }));
  });
}

function faster(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : Math.min(one, other);
}

/** Null where the device does not compute so. */
function orNull<Result>(work: () => Result): Result | null {
  try {
    return work();
  } catch {
    return null;
  }
}

/** A convolution with its norm and activation; called, it runs forward and backward once and tells the seconds. */
function precisionBlock(device: ComputeDevice, precision: Precision): () => number {
  const dataType = dataTypeOf[precision];
  const channels = shape[1];
  const random = (size: readonly number[]): Tensor =>
    to(randn(size, { dataType: 'float32' }), { dataType, device, memoryFormat: 'channels_last_3d' });
  const input = random(shape);
  const kernel = random([channels, channels, 3, 3, 3]);
  const [scale, shift] = [ones([channels], { dataType, device }), zeros([channels], { dataType, device })];
  for (const leaf of [input, kernel]) leaf.requiresGradient = true;
  return () =>
    scope(() => {
      const started = performance.now();
      meanAll(normaliseAndActivate(convolution3d(input, kernel), scale, shift, 'leaky_relu')).backward();
      // Read back, so that a device that works on its own has finished.
      if (kernel.gradient) meanAll(kernel.gradient).item();
      return (performance.now() - started) / 1000;
    });
}
