import { describe, expect, it } from 'vitest';
import { checkEngine } from '../src/doctor.ts';

const cpu = { name: 'a processor', threads: 2, capability: 'AVX512', bf16: 'amx' as const };
const none = { driver: false, loaded: false, devices: 0 };
const engine = { version: '2.15.0', folder: '/opt/libtorch', cuda: none, mps: false, cpu };

describe('checkEngine', () => {
  it('is loud about a GPU that is not used', () => {
    const [finding] = checkEngine({ ...engine, cuda: { ...none, driver: true, reason: 'no libtorch_cuda.so' } });
    expect(finding.message).toMatch(/^THE GPU IS NOT USED .*\(no libtorch_cuda\.so\): run "npm run setup"/);
    expect(checkEngine({ ...engine, cuda: { driver: true, loaded: true, devices: 1 } })).toEqual([]);
  });

  it('warns of a slow processor only where it is the one in use', () => {
    const slow = { ...cpu, bf16: 'none' as const };
    expect(checkEngine({ ...engine, cpu: slow })).toHaveLength(1);
    expect(checkEngine({ ...engine, cpu: slow, mps: true })).toEqual([]);
    expect(checkEngine(engine)).toEqual([]);
  });
});
