import { UserError } from '../base/errors.ts';
import type { Rank } from './rank.ts';
import { type Environment, textOf } from './variables.ts';

/**
 * What CUDA_VISIBLE_DEVICES is to be, so that this rank sees one GPU of its machine, the one of its number there; undefined where it is right as it is:
 * of one rank a machine, or where the launcher gives each rank a GPU of its own, as Slurm does. CUDA reads the variable when it begins.
 *
 * @throws UserError where the variable names GPUs, but none for this rank
 */
export function gpuOf({ localRank, localSize }: Rank, environment: Environment): string | undefined {
  if ((localSize ?? 1) === 1) return undefined;
  const visible = textOf(environment, 'CUDA_VISIBLE_DEVICES');
  if (visible === undefined) return environment.CUDA_VISIBLE_DEVICES === undefined ? String(localRank) : undefined;
  const gpus = visible.split(',').map((gpu) => gpu.trim());
  if (gpus.length === 1) return undefined;
  if (localRank < gpus.length) return gpus[localRank];
  throw new UserError(
    `CUDA_VISIBLE_DEVICES names ${gpus.length} GPUs (${visible}), but ${localSize} ranks were started on this machine. Start as many ranks as it has GPUs.`,
  );
}
