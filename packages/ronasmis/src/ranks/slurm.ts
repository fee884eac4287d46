import { UserError } from '../base/errors.ts';
import { quoted } from '../base/json.ts';
import type { Rank } from './rank.ts';
import { type Environment, optionalNumberOf, requiredText, textOf, wholeNumberOf } from './variables.ts';

/** The ports that a job's number chooses between: above those of services, below those that the system gives to clients. */
const ports = { first: 15000, count: 10000 };

const fix = 'Start with srun, and pass its variables on; unset SLURM_PROCID to train in one process.';

/**
 * How many tasks `srun` has started beside this process, itself included; 1 where it was not started by srun. A job's script and the shell of
 * an interactive job have Slurm's variables too, of the whole job, and SLURM_PROCID 0, but only what srun starts is in a step of several tasks.
 */
export function slurmTasks(environment: Environment): number {
  if (textOf(environment, 'SLURM_PROCID') === undefined) return 1;
  const tasks = optionalNumberOf(environment, 'SLURM_STEP_NUM_TASKS', { least: 1 });
  if (tasks !== undefined) return tasks;
  if (textOf(environment, 'SLURM_STEP_ID') !== undefined)
    return optionalNumberOf(environment, 'SLURM_NTASKS', { least: 1 }) ?? 1;
  const rank = wholeNumberOf(environment, 'SLURM_PROCID', {});
  if (rank === 0) return 1;
  throw new UserError(
    `SLURM_PROCID is ${rank}, but neither SLURM_STEP_NUM_TASKS nor SLURM_STEP_ID is set, which srun sets. ${fix}`,
  );
}

/**
 * The rank by the variables of Slurm's `srun`. The tasks meet on the first node of the step, at a port that its job and step choose; MASTER_ADDR and
 * MASTER_PORT, which many job scripts set, have precedence.
 */
export function slurmRank(environment: Environment): Rank {
  const size = slurmTasks(environment);
  const rank = wholeNumberOf(environment, 'SLURM_PROCID', { most: size - 1 });
  const claimed = optionalNumberOf(environment, 'WORLD_SIZE', { least: 1 }) ?? size;
  if (claimed !== size)
    throw new UserError(
      `WORLD_SIZE is ${claimed}, but srun has started ${size} tasks. Start as many tasks, or unset WORLD_SIZE.`,
    );
  const job = optionalNumberOf(environment, 'SLURM_JOBID', {}) ?? wholeNumberOf(environment, 'SLURM_JOB_ID', { fix });
  const step = optionalNumberOf(environment, 'SLURM_STEP_ID', {}) ?? 0;
  const port = optionalNumberOf(environment, 'MASTER_PORT', { least: 1, most: 65535 });
  const localRank = wholeNumberOf(environment, 'SLURM_LOCALID', { most: size - 1, fix });
  const localSize = tasksOfThisNode(environment);
  return {
    rank,
    size,
    localRank,
    // Of the whole job rather than the step, the counts say nothing of this node's tasks.
    localSize: localSize !== null && localSize > localRank ? localSize : null,
    host: textOf(environment, 'MASTER_ADDR') ?? firstNode(environment),
    port: port ?? ports.first + ((job + step) % ports.count),
    servedBy: 'rank 0',
    name: `ronasmis/${job}.${step}/0`,
  };
}

/** `node[003-006,010]`, or `rack[0-1]node7,login1`: letters with lists in brackets, and the first number of each is the first node's. */
function firstNode(environment: Environment): string {
  const names = ['SLURM_STEP_NODELIST', 'SLURM_JOB_NODELIST', 'SLURM_NODELIST'] as const;
  const list = requiredText(environment, names, 'Set MASTER_ADDR to the name of the first node.');
  const [, first] = /^((?:[^,[\]\s]|\[\d+[\d,-]*\])+)(?:,|$)/.exec(list) ?? [];
  if (first !== undefined) return first.replaceAll(/\[(\d+)[^\]]*\]/g, '$1');
  throw new UserError(
    `The list of Slurm's nodes is '${quoted(list)}', which names no first one. Set MASTER_ADDR to the name of the first node.`,
  );
}

/** How many tasks are on this node: Slurm counts them as `2(x3),1`, for 2 on each of three nodes and 1 on the fourth. */
function tasksOfThisNode(environment: Environment): number | null {
  const node = optionalNumberOf(environment, 'SLURM_NODEID', {});
  const text = textOf(environment, 'SLURM_STEP_TASKS_PER_NODE') ?? textOf(environment, 'SLURM_TASKS_PER_NODE');
  if (node === undefined || text === undefined) return null;
  let before = 0;
  for (const [, tasks, nodes = '1'] of text.matchAll(/(\d+)(?:\(x(\d+)\))?/g)) {
    before += Number(nodes);
    if (node < before) return Number(tasks);
  }
  return null;
}
