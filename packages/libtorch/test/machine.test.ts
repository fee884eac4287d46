import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, freemem, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { availableMemoryBytes, availableProcessors, machineMemoryBytes } from '../src/machine.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'machine-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${text}\n`);
  }
}

const MiB = 2 ** 20;
const hostMemory = 9223372036854771712n; // what version 1 says where there is no limit

describe('without limits', () => {
  it('the machine counts', () => {
    expect(availableProcessors(root)).toBe(availableParallelism());
    expect(machineMemoryBytes(root)).toBe(totalmem());
    expect(Math.abs(availableMemoryBytes(root) - freemem())).toBeLessThan(0.2 * totalmem());
    put({
      'proc/self/cgroup': '4:memory:/job\n1:cpu,cpuacct:/job\n0::/',
      'sys/fs/cgroup/memory/job/memory.limit_in_bytes': String(hostMemory),
      'sys/fs/cgroup/memory/job/memory.usage_in_bytes': '1543540736',
      'sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us': '-1',
      'sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us': '100000',
    });
    expect(availableProcessors(root)).toBe(availableParallelism());
    expect(machineMemoryBytes(root)).toBe(totalmem());
  });

  it('nor by max in version 2', () => {
    put({
      'proc/self/cgroup': '0::/',
      'sys/fs/cgroup/cpu.max': 'max 100000',
      'sys/fs/cgroup/memory.max': 'max',
      'sys/fs/cgroup/memory.current': '5242880',
    });
    expect(availableProcessors(root)).toBe(availableParallelism());
    expect(machineMemoryBytes(root)).toBe(totalmem());
    expect(availableMemoryBytes(root)).toBeGreaterThan(0);
  });
});

describe.each([
  ['50000 100000', 1],
  ['100000 100000', 1],
  ['30000 20000', 2],
  ['1000 100000', 1],
])('a quota of %s', (quota, processors) => {
  const expected = Math.min(processors, availableParallelism());

  it(`leaves ${processors} in a container of version 2`, () => {
    put({ 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.max': quota });
    expect(availableProcessors(root)).toBe(expected);
  });

  it(`leaves ${processors} in one of version 1, whose path is the host's`, () => {
    const [time, period] = quota.split(' ');
    put({
      'proc/self/cgroup': '5:cpu,cpuacct:/docker/0123abcd',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': time,
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': period,
    });
    expect(availableProcessors(root)).toBe(expected);
  });
});

describe('memory', () => {
  it('is what a limit leaves of it', () => {
    put({
      'proc/self/cgroup': '0::/',
      'sys/fs/cgroup/memory.max': String(400 * MiB),
      'sys/fs/cgroup/memory.current': String(360 * MiB),
      'sys/fs/cgroup/memory.stat': `anon ${360 * MiB}\ninactive_file 0\nactive_file 0`,
    });
    expect(machineMemoryBytes(root)).toBe(400 * MiB);
    expect(availableMemoryBytes(root)).toBe(40 * MiB);
  });

  it('counts files that the system keeps in it as free', () => {
    put({
      'proc/self/cgroup': '0::/',
      'sys/fs/cgroup/memory.max': String(400 * MiB),
      'sys/fs/cgroup/memory.current': String(399 * MiB),
      'sys/fs/cgroup/memory.stat': `anon ${99 * MiB}\nfile ${300 * MiB}\ninactive_file ${200 * MiB}\nactive_file ${100 * MiB}`,
    });
    expect(availableMemoryBytes(root)).toBe(301 * MiB);
  });

  it("is limited by a batch job's group that the process's own lies in", () => {
    put({
      'proc/self/cgroup': '0::/slurm/job_7/step_0',
      'sys/fs/cgroup/slurm/job_7/step_0/memory.max': 'max',
      'sys/fs/cgroup/slurm/job_7/step_0/memory.current': String(10 * MiB),
      'sys/fs/cgroup/slurm/job_7/memory.max': String(200 * MiB),
      'sys/fs/cgroup/slurm/job_7/memory.current': String(50 * MiB),
    });
    expect(machineMemoryBytes(root)).toBe(200 * MiB);
    expect(availableMemoryBytes(root)).toBe(150 * MiB);
  });

  it('is read in version 1, where a group counts those in it apart', () => {
    put({
      'proc/self/cgroup': '4:memory:/job\n1:name=systemd:/job',
      'sys/fs/cgroup/memory/job/memory.limit_in_bytes': String(400 * MiB),
      'sys/fs/cgroup/memory/job/memory.usage_in_bytes': String(390 * MiB),
      'sys/fs/cgroup/memory/job/memory.stat': `cache 0\ninactive_file 0\nactive_file 0\ntotal_inactive_file ${100 * MiB}\ntotal_active_file ${20 * MiB}`,
    });
    expect(availableMemoryBytes(root)).toBe(130 * MiB);
  });

  it('is 0, not less, where more is used than the limit', () => {
    put({
      'proc/self/cgroup': '0::/',
      'sys/fs/cgroup/memory.max': String(100 * MiB),
      'sys/fs/cgroup/memory.current': String(101 * MiB),
    });
    expect(availableMemoryBytes(root)).toBe(0);
  });
});
