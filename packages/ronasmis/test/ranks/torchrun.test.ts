import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { endOf } from '../../../../test/ended.ts';
import { fromSource } from '../../../../test/from-source.ts';
import { freePort } from '../../../libtorch/test/ranks.ts';

const python = process.env.RONASMIS_PEERS;
const find = 'import sys, importlib.util; sys.exit(importlib.util.find_spec("torch") is None)';
const hasTorch = process.platform === 'linux' && python !== undefined && spawnSync(python, ['-c', find]).status === 0;
if (!hasTorch) console.warn('Skipping ranks under torchrun: RONASMIS_PEERS names no Python with torch.');

interface Agent {
  readonly status: number | null;
  /** What its ranks have printed, from JSON. */
  readonly said: readonly unknown[];
  readonly stderr: string;
}

/** What becomes of one of torchrun's agents, whose ranks run torchrun.mjs. */
async function startAgent(options: readonly string[]): Promise<Agent> {
  const program = fileURLToPath(new URL('torchrun.mjs', import.meta.url));
  const launch = ['-m', 'torch.distributed.run', ...options, '--no-python', process.execPath, ...fromSource, program];
  const { code: status, stdout, stderr } = await endOf(spawn(python ?? '', launch));
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { status, said: lines.map((line): unknown => JSON.parse(line)), stderr };
}

// Starting Python's torch and all ranks twice is what takes its time here.
describe.skipIf(!hasTorch)("torchrun's processes are ranks, also when it starts them again", () => {
  it('of one agent', async () => {
    const { status, said, stderr } = await startAgent(['--nproc-per-node', '2', '--max-restarts', '1']);
    expect(status, stderr).toBe(0);
    expect(said).toHaveLength(2);
    for (const rank of [0, 1]) expect(said).toContainEqual({ rank, local: [rank, 2], attempt: 1, sum: 3 });
  });

  it('of two, of which one may count no attempt where the other does', async () => {
    const endpoint = `localhost:${await freePort()}`;
    const together = ['--nnodes', '2', '--rdzv-backend', 'c10d', '--rdzv-endpoint', endpoint, '--rdzv-id', 'test'];
    const options = [...together, '--nproc-per-node', '1', '--max-restarts', '4'];
    const agents = await Promise.all([startAgent(options), startAgent(options)]);
    for (const { status, stderr } of agents) expect(status, stderr).toBe(0);
    const said = agents.flatMap((agent) => agent.said);
    expect(said).toHaveLength(2);
    for (const rank of [0, 1])
      expect(said).toContainEqual({ rank, local: [0, 1], attempt: expect.any(Number), sum: 3 });
  });
});
