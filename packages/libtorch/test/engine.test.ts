import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  addScalar,
  describeEngine,
  emptyCache,
  expand,
  isOutOfMemory,
  oneDnnTakesBfloat16,
  peakMemoryBytes,
  resetPeakMemoryBytes,
  scope,
  setThreads,
  tensor,
  threads,
} from '../src/index.ts';

describe('describeEngine', () => {
  test('says what libtorch this is, and what the processor can do', () => {
    const before = threads();
    setThreads(3);
    const { version, folder, cpu } = describeEngine();
    setThreads(before);
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    expect(existsSync(`${folder}/lib`)).toBe(true);
    expect(cpu.threads).toBe(3);
    // A processor with units for bfloat16 has those that oneDNN needs.
    if (cpu.bf16 !== 'none') expect(oneDnnTakesBfloat16()).toBe(true);
  });

  test.skipIf(existsSync('/dev/nvidia0') || existsSync('/proc/driver/nvidia/version'))(
    'without a GPU names none, and no reason',
    () => {
      expect(describeEngine().cuda).toEqual({ driver: false, loaded: false, devices: 0, fusedKernels: false });
    },
  );
});

test.runIf(process.platform === 'linux')('the peak of memory is what the system says of this process', () => {
  const kilobytes = /^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const before = peakMemoryBytes('cpu');
  expect(before).toBeGreaterThanOrEqual(Number(kilobytes) * 1024);
  expect(peakMemoryBytes('cpu')).toBeGreaterThanOrEqual(process.memoryUsage.rss());
});

test.runIf(process.platform === 'linux')('the peak of memory counts anew from what is in use', () => {
  const peak = scope(() => {
    addScalar(expand(tensor(Float32Array.of(1), [1]), [50_000_000]), 1);
    return peakMemoryBytes('cpu');
  });
  emptyCache('cpu');
  expect(resetPeakMemoryBytes('cpu')).toBe(true);
  expect(peakMemoryBytes('cpu')).toBeLessThan(peak - 100_000_000);
});

test('tells an error of memory from others', () => {
  expect(isOutOfMemory(Object.assign(new Error('full'), { code: 'OUT_OF_MEMORY' }))).toBe(true);
  expect(isOutOfMemory(new Error('OUT_OF_MEMORY'))).toBe(false);
  expect(isOutOfMemory({ code: 'OUT_OF_MEMORY' })).toBe(false);
  expect(isOutOfMemory(undefined)).toBe(false);
});
