import { UserError } from '../base/errors.ts';
import { quoted } from '../base/json.ts';
import type { Rank } from './rank.ts';
import { type Environment, optionalNumberOf, requiredText, textOf, wholeNumberOf } from './variables.ts';

const fix =
  'Start every process with torchrun, or give each RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; unset RANK to train in one process.';

/**
 * The rank by PyTorch's variables: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, which every launcher for PyTorch sets, and what torchrun adds. Its
 * agent serves the meeting point where TORCHELASTIC_USE_AGENT_STORE says so; otherwise rank 0 does. PyTorchJob has one rank a pod, and sets no
 * LOCAL_RANK. TORCHELASTIC_RESTART_COUNT is not read: an agent that starts its ranks again because of another's counts none.
 */
export function torchRank(environment: Environment): Rank {
  const size = wholeNumberOf(environment, 'WORLD_SIZE', { least: 1, fix });
  const rank = wholeNumberOf(environment, 'RANK', { fix });
  const below = (name: string, value: number, of: string, count: number): void => {
    if (value < count) return;
    throw new UserError(`${name} is ${value} and ${of} ${count}, but they are numbered from 0 to ${count - 1}. ${fix}`);
  };
  below('RANK', rank, 'WORLD_SIZE', size);
  const localRank = optionalNumberOf(environment, 'LOCAL_RANK', {}) ?? 0;
  const localSize = optionalNumberOf(environment, 'LOCAL_WORLD_SIZE', { least: 1 }) ?? null;
  if (localSize !== null) {
    below('LOCAL_RANK', localRank, 'LOCAL_WORLD_SIZE', localSize);
    if (localSize > size)
      throw new UserError(`LOCAL_WORLD_SIZE is ${localSize}, more than WORLD_SIZE, which is ${size}. ${fix}`);
  }
  refuseSlurmsOwn(environment, rank, size);

  return {
    rank,
    size,
    localRank,
    localSize,
    host: requiredText(environment, ['MASTER_ADDR'], fix),
    port: wholeNumberOf(environment, 'MASTER_PORT', { least: 1, most: 65535, fix }),
    servedBy: agentServes(environment) ? 'launcher' : 'rank 0',
    name: `ronasmis/${textOf(environment, 'TORCHELASTIC_RUN_ID') ?? 'run'}`,
  };
}

function agentServes(environment: Environment): boolean {
  const text = textOf(environment, 'TORCHELASTIC_USE_AGENT_STORE') ?? 'False';
  if (text === 'True' || text === 'False') return text === 'True';
  throw new UserError(
    `TORCHELASTIC_USE_AGENT_STORE is '${quoted(text)}', but must be True or False, as torchrun sets it: unset it where that did not.`,
  );
}

/**
 * A job's script may give all of Slurm's tasks the RANK of the script itself, which is 0: each would wait for the others. (torchrun's ranks
 * are its own, below Slurm's tasks.)
 */
function refuseSlurmsOwn(environment: Environment, rank: number, size: number): void {
  if (textOf(environment, 'TORCHELASTIC_RUN_ID') !== undefined) return;
  if (optionalNumberOf(environment, 'SLURM_STEP_NUM_TASKS', {}) !== size) return;
  const task = optionalNumberOf(environment, 'SLURM_PROCID', {}) ?? rank;
  if (task === rank) return;
  throw new UserError(
    `RANK is ${rank}, but SLURM_PROCID is ${task}. Do not set RANK in the script of a Slurm job: srun numbers its tasks.`,
  );
}
