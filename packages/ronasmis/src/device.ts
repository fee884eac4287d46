import type { DataType, EngineDescription } from '@ronasmis/libtorch';
import { UserError } from './errors.ts';

/** Where a network is computed. */
export type ComputeDevice = 'cpu' | 'cuda' | 'mps';
/** Numbers that the forward pass computes in; weights, losses and norms are float32 always. */
export type Precision = 'fp32' | 'bf16';

export const dataTypeOf: Readonly<Record<Precision, DataType>> = { fp32: 'float32', bf16: 'bfloat16' };

/**
 * The device that is meant; `auto` is the fastest of this machine.
 * @throws UserError where it is not there
 */
export function chooseDevice(wanted: 'auto' | ComputeDevice, engine: EngineDescription): ComputeDevice {
  if (wanted === 'auto') return fastestDevice(engine);
  const there = wanted === 'cpu' || (wanted === 'cuda' ? engine.cuda.loaded : engine.mps);
  if (there) return wanted;
  const reason = wanted === 'cuda' && engine.cuda.reason ? ` (${engine.cuda.reason})` : '';
  throw new UserError(
    `--device ${wanted}: this machine offers no such device${reason}. Run 'ronasmis doctor' to see why, or use --device auto.`,
  );
}

function fastestDevice({ cuda, mps }: EngineDescription): ComputeDevice {
  if (cuda.loaded) return 'cuda';
  return mps ? 'mps' : 'cpu';
}

/**
 * The precision that is meant; `auto` is bfloat16 where the device multiplies it in hardware, else float32. On a processor
 * that takes AMX: with avx512_bf16 alone, oneDNN's bfloat16 convolutions are slower than its float32 ones.
 */
export function choosePrecision(
  wanted: 'auto' | Precision,
  device: ComputeDevice,
  engine: EngineDescription,
): Precision {
  if (wanted !== 'auto') return wanted;
  return device === 'cuda' || (device === 'cpu' && engine.cpu.bf16 === 'amx') ? 'bf16' : 'fp32';
}
