import type { DataType, EngineDescription } from '@ronasmis/libtorch';
import { UserError } from '../base/errors.ts';

/** Where a network is computed. */
export type ComputeDevice = 'cpu' | 'cuda' | 'mps';
/** Numbers that the forward pass computes in; weights, losses and norms are float32 always. */
export type Precision = 'fp32' | 'bf16' | 'fp16';

export const dataTypeOf: Readonly<Record<Precision, DataType>> = {
  fp32: 'float32',
  bf16: 'bfloat16',
  fp16: 'float16',
};

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
