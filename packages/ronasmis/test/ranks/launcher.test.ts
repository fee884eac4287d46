import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { rankOf } from '../../src/ranks/launcher.ts';

/** What torchrun (PyTorch 2.15.0, `--nproc-per-node 2`) sets in the second of its processes. */
const torchrun = {
  RANK: '1',
  LOCAL_RANK: '1',
  GROUP_RANK: '0',
  ROLE_RANK: '1',
  WORLD_SIZE: '2',
  LOCAL_WORLD_SIZE: '2',
  GROUP_WORLD_SIZE: '1',
  ROLE_WORLD_SIZE: '2',
  MASTER_ADDR: 'localhost',
  MASTER_PORT: '36837',
  TORCHELASTIC_RESTART_COUNT: '0',
  TORCHELASTIC_MAX_RESTARTS: '0',
  TORCHELASTIC_RUN_ID: 'bcbb2fbe-7d9d-42b6-bda0-3de95f3a04fa',
  TORCHELASTIC_USE_AGENT_STORE: 'True',
};

/** What Kubeflow's training operator sets in a pod of a PyTorchJob. */
const pytorchJob = {
  RANK: '0',
  WORLD_SIZE: '3',
  MASTER_ADDR: 'brain-master-0',
  MASTER_PORT: '23456',
  PYTHONUNBUFFERED: '1',
};

/** What srun sets, as its manual lists it, for task 3 of 4 on two nodes. */
const slurm = {
  SLURM_JOB_ID: '123456',
  SLURM_JOB_NODELIST: 'gpu[003-004,010]',
  SLURM_LOCALID: '1',
  SLURM_NODEID: '1',
  SLURM_NTASKS: '4',
  SLURM_PROCID: '3',
  SLURM_STEP_ID: '2',
  SLURM_STEP_NODELIST: 'gpu[003-004]',
  SLURM_STEP_NUM_TASKS: '4',
  SLURM_STEP_TASKS_PER_NODE: '2(x2)',
};

describe('torchrun', () => {
  test('whose agent serves the meeting point', () => {
    expect(rankOf(torchrun)).toEqual({
      rank: 1,
      size: 2,
      localRank: 1,
      localSize: 2,
      host: 'localhost',
      port: 36837,
      servedBy: 'launcher',
      name: 'ronasmis/bcbb2fbe-7d9d-42b6-bda0-3de95f3a04fa',
    });
  });

  test('whose agent does not: rank 0 does', () => {
    for (const said of ['False', undefined]) {
      const without = { ...torchrun, TORCHELASTIC_USE_AGENT_STORE: said };
      expect(rankOf(without)?.servedBy).toBe('rank 0');
    }
  });

  test('of which one starts its ranks again uncounted has all meet under one name', () => {
    const run = { ...torchrun, TORCHELASTIC_RUN_ID: 'x7' };
    for (const attempt of ['0', '1'])
      expect(rankOf({ ...run, TORCHELASTIC_RESTART_COUNT: attempt })?.name).toBe('ronasmis/x7');
  });

  test("below Slurm's tasks, one a node", () => {
    expect(rankOf({ ...slurm, SLURM_STEP_NUM_TASKS: '2', SLURM_PROCID: '0', ...torchrun })?.rank).toBe(1);
  });
});

test('PyTorchJob, which has one rank a pod', () => {
  expect(rankOf(pytorchJob)).toEqual({
    rank: 0,
    size: 3,
    localRank: 0,
    localSize: null,
    host: 'brain-master-0',
    port: 23456,
    servedBy: 'rank 0',
    name: 'ronasmis/run',
  });
  expect(rankOf({ ...pytorchJob, RANK: '2' })).toMatchObject({ rank: 2 });
});

describe('Slurm', () => {
  test("srun's tasks", () => {
    expect(rankOf(slurm)).toEqual({
      rank: 3,
      size: 4,
      localRank: 1,
      localSize: 2,
      host: 'gpu003',
      port: 18458,
      servedBy: 'rank 0',
      name: 'ronasmis/123456.2/0',
    });
  });

  test.each([
    ['node1', 'node1'],
    ['node1,node7', 'node1'],
    ['node[9-11]', 'node9'],
    ['node[007]', 'node007'],
    ['node[3,5-6]-ib,login', 'node3-ib'],
    ['rack[0-1]node[2-3]', 'rack0node2'],
    ['a-b.cluster.example', 'a-b.cluster.example'],
  ])('the first node of %s is %s', (list, first) => {
    expect(rankOf({ ...slurm, SLURM_STEP_NODELIST: list })?.host).toBe(first);
    expect(rankOf({ ...slurm, SLURM_STEP_NODELIST: undefined, SLURM_JOB_NODELIST: list })?.host).toBe(first);
  });

  test("an older Slurm's variables", () => {
    const older = { ...slurm, SLURM_STEP_NUM_TASKS: undefined, SLURM_STEP_TASKS_PER_NODE: undefined };
    expect(rankOf(older)).toMatchObject({ rank: 3, size: 4, localRank: 1, localSize: null });
  });

  test.each([
    ['2(x2)', '1', 2],
    ['4,1', '0', 4],
    ['3(x2),2,2', '3', 2],
    ['1(x1)', '7', null],
    // Of fewer tasks than this one's number there, it is that of something else.
    ['1', '0', null],
  ])('tasks by node: %s, node %s', (tasks, node, expected) => {
    const environment = { ...slurm, SLURM_STEP_TASKS_PER_NODE: tasks, SLURM_NODEID: node };
    expect(rankOf(environment)?.localSize).toBe(expected);
  });

  test("a job script's own address and port have precedence", () => {
    expect(rankOf({ ...slurm, MASTER_ADDR: '10.0.0.1', MASTER_PORT: '12345', WORLD_SIZE: '4' })).toMatchObject({
      host: '10.0.0.1',
      port: 12345,
    });
  });

  test('two steps of one job meet at two ports', () => {
    expect(rankOf({ ...slurm, SLURM_STEP_ID: '3' })?.port).not.toBe(rankOf(slurm)?.port);
  });
});

describe('alone', () => {
  const job = {
    SLURM_JOB_ID: '9',
    SLURM_NTASKS: '4',
    SLURM_JOB_NODELIST: 'a[1-2]',
    SLURM_PROCID: '0',
    SLURM_LOCALID: '0',
  };
  test.each([
    ['no launcher', {}],
    ['variables set to nothing', { RANK: '', WORLD_SIZE: ' ', SLURM_PROCID: '' }],
    ['an address and a port alone', { MASTER_ADDR: 'a', MASTER_PORT: '1' }],
    ['one process of torchrun', { ...torchrun, RANK: '0', LOCAL_RANK: '0', WORLD_SIZE: '1', LOCAL_WORLD_SIZE: '1' }],
    ['one pod', { ...pytorchJob, WORLD_SIZE: '1' }],
    ['a count of 1', { WORLD_SIZE: '1' }],
    ["a job's script", job],
    ['the shell of salloc', { ...job, SLURM_PROCID: undefined }],
    ['an interactive step', { ...job, SLURM_STEP_ID: '4294967290', SLURM_STEP_NUM_TASKS: '1' }],
    ['an interactive job of one task', { ...job, SLURM_NTASKS: '1', SLURM_STEP_ID: '0' }],
  ])('%s', (_, environment) => {
    expect(rankOf(environment)).toBeNull();
  });
});

describe('a sentence names the variable', () => {
  const without = (environment: Readonly<Record<string, string>>, name: string) => ({
    ...environment,
    [name]: undefined,
  });
  test.each<[string, Readonly<Record<string, string | undefined>>, string]>([
    ['no WORLD_SIZE', without(torchrun, 'WORLD_SIZE'), 'WORLD_SIZE is not set. Start every process with torchrun'],
    ['no RANK', without(torchrun, 'RANK'), 'WORLD_SIZE is 2, but RANK is not set. Set RANK to'],
    ['no MASTER_ADDR', without(torchrun, 'MASTER_ADDR'), 'MASTER_ADDR is not set.'],
    ['no MASTER_PORT', without(pytorchJob, 'MASTER_PORT'), 'MASTER_PORT is not set.'],
    ['a RANK in words', { ...torchrun, RANK: 'one' }, "RANK is 'one', but must be a whole number of at least 0."],
    ['a negative RANK', { ...torchrun, RANK: '-1' }, "RANK is '-1', but must be"],
    [
      'half a process',
      { ...torchrun, WORLD_SIZE: '2.5' },
      "WORLD_SIZE is '2.5', but must be a whole number of at least 1",
    ],
    ['no process', { ...torchrun, WORLD_SIZE: '0' }, "WORLD_SIZE is '0'"],
    ['a RANK too high', { ...torchrun, RANK: '2' }, 'RANK is 2 and WORLD_SIZE 2, but they are numbered from 0 to 1.'],
    ['a LOCAL_RANK too high', { ...torchrun, LOCAL_RANK: '2' }, 'LOCAL_RANK is 2 and LOCAL_WORLD_SIZE 2'],
    [
      'more here than all',
      { ...torchrun, LOCAL_WORLD_SIZE: '3' },
      'LOCAL_WORLD_SIZE is 3, more than WORLD_SIZE, which is 2.',
    ],
    [
      'a port too high',
      { ...torchrun, MASTER_PORT: '65536' },
      "MASTER_PORT is '65536', but must be a whole number from 1 to 65535.",
    ],
    [
      'an agent that may be',
      { ...torchrun, TORCHELASTIC_USE_AGENT_STORE: 'maybe' },
      "TORCHELASTIC_USE_AGENT_STORE is 'maybe'",
    ],
    [
      'the RANK of the script',
      { ...slurm, ...pytorchJob, WORLD_SIZE: '4' },
      'RANK is 0, but SLURM_PROCID is 3. Do not set RANK in the script',
    ],
    [
      'a task too high',
      { ...slurm, SLURM_PROCID: '4' },
      "SLURM_PROCID is '4', but must be a whole number from 0 to 3.",
    ],
    ['another count', { ...slurm, WORLD_SIZE: '8' }, 'WORLD_SIZE is 8, but srun has started 4 tasks.'],
    [
      'no nodes',
      { ...without(slurm, 'SLURM_STEP_NODELIST'), SLURM_JOB_NODELIST: undefined },
      'SLURM_STEP_NODELIST and SLURM_JOB_NODELIST and SLURM_NODELIST are not set. Set MASTER_ADDR',
    ],
    [
      'a torn list of nodes',
      { ...slurm, SLURM_STEP_NODELIST: 'gpu[003' },
      "The list of Slurm's nodes is 'gpu[003', which names no first one.",
    ],
    ['no job', without(slurm, 'SLURM_JOB_ID'), 'SLURM_JOB_ID is not set.'],
    ['no SLURM_LOCALID', without(slurm, 'SLURM_LOCALID'), 'SLURM_LOCALID is not set.'],
    [
      'no step',
      { ...without(slurm, 'SLURM_STEP_ID'), SLURM_STEP_NUM_TASKS: undefined },
      'SLURM_PROCID is 3, but neither SLURM_STEP_NUM_TASKS',
    ],
    ['a count in words', { WORLD_SIZE: 'many' }, "WORLD_SIZE is 'many'"],
  ])('%s', (_, environment, message) => {
    expect(() => rankOf(environment)).toThrow(UserError);
    expect(() => rankOf(environment)).toThrow(message);
  });
});
