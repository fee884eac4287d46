import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { EngineDescription } from '@ronasmis/libtorch';
import type { ComputeDevice } from '../engine/device.ts';
import { plural } from '../report/format.ts';

/** What runs on a device compute on, in words: the first NVIDIA GPU by its name where nvidia-smi tells it, or the processor and its threads. */
export async function hardwareOf(device: ComputeDevice, { cpu }: Pick<EngineDescription, 'cpu'>): Promise<string> {
  if (device === 'mps') return `GPU of ${cpu.name}`;
  if (device === 'cpu') return `${cpu.name}, ${plural(cpu.threads, 'thread')}`;
  const query = ['--id=0', '--query-gpu=name', '--format=csv,noheader'];
  const said = await promisify(execFile)('nvidia-smi', query).catch(() => ({ stdout: '' }));
  return said.stdout.trim() || 'NVIDIA GPU';
}
