import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { fromSource } from '../../../../test/from-source.ts';

const python = process.env.RONASMIS_PEERS;
const find = 'import sys, importlib.util; sys.exit(importlib.util.find_spec("torch") is None)';
const hasTorch = process.platform === 'linux' && python !== undefined && spawnSync(python, ['-c', find]).status === 0;
if (!hasTorch) console.warn('Skipping ranks under torchrun: RONASMIS_PEERS names no Python with torch.');

it.skipIf(!hasTorch)("torchrun's processes are ranks, also when it starts them again", () => {
  const program = fileURLToPath(new URL('torchrun.mjs', import.meta.url));
  const launch = ['-m', 'torch.distributed.run', '--nproc-per-node', '2', '--max-restarts', '1', '--no-python'];
  const args = [...launch, process.execPath, ...fromSource, program];
  const { status, stdout, stderr } = spawnSync(python ?? '', args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const said = stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(said).toHaveLength(2);
  for (const rank of [0, 1]) expect(said).toContainEqual({ rank, local: [rank, 2], attempt: 1, sum: 3 });
  expect(stderr).toContain('Rank 0 of 2: rank 1 ended during meeting the other ranks.');
});
