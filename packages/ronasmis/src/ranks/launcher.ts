import { UserError } from '../base/errors.ts';
import type { Rank } from './rank.ts';
import { slurmRank, slurmTasks } from './slurm.ts';
import { torchRank } from './torch.ts';
import { type Environment, textOf, wholeNumberOf } from './variables.ts';

/**
 * The rank that this process's launcher gave it, by its environment: torchrun's, Kubeflow's PyTorchJob's or any other's that sets RANK,
 * WORLD_SIZE, MASTER_ADDR and MASTER_PORT, or Slurm's `srun`. Null where it was started alone: by hand, by a launcher of one process, or in a
 * Slurm job's script or shell, where Slurm's variables are there but nobody else is started.
 *
 * Throws a UserError that names the variable where one is missing, is no number, or contradicts another.
 */
export function rankOf(environment: Environment): Rank | null {
  const rank = givenRank(environment);
  return rank !== null && rank.size > 1 ? rank : null;
}

function givenRank(environment: Environment): Rank | null {
  if (textOf(environment, 'RANK') !== undefined) return torchRank(environment);
  if (slurmTasks(environment) > 1) return slurmRank(environment);
  if (textOf(environment, 'WORLD_SIZE') === undefined) return null;
  const size = wholeNumberOf(environment, 'WORLD_SIZE', { least: 1 });
  if (size === 1) return null;
  throw new UserError(
    `WORLD_SIZE is ${size}, but RANK is not set. Set RANK to this process's number, from 0 to ${size - 1}, or unset WORLD_SIZE to train in one process.`,
  );
}
